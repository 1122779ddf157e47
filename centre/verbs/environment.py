"""What runs of an environment, stopping it, and removing every trace of it: found by labels, whatever state says."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time

from docker.errors import APIError, NotFound
from docker.types import ServiceMode

from centre.reach.runtime import Runtime
from centre.verbs.progress import StepFailed, Steps
from inventory import paths
from inventory.register import Register

LIMIT = 120  # seconds for tasks to stop and let go of networks and volumes
SERVICE = "com.docker.swarm.service.name"  # label of every task's container
REMOVAL = 900  # seconds that the daemon may take for one volume: a full cell's has a million files


def _services(runtime: Runtime) -> list:
    label = f"asp.env={runtime.register.environment.id}"
    return sorted(runtime.client.services.list(filters={"label": label}), key=lambda service: service.name)


def status(register: Register) -> None:
    """Services with their health, addresses, how to sign in, and the last readiness."""
    runtime = Runtime(register)
    env = register.environment
    print(f"Environment {env.id}\n")
    services = _services(runtime)
    if not services:
        print(f"  nothing runs; start it with make up ENV={env.id}\n")
    for service in services:
        print(f"  {service.name:<34} {_health(service)}")
    print("\nMunicipalities")
    for m in register.municipalities.values():
        print(f"  {m.ksh} {m.name:<18} {m.phase:<12} {m.url()}{_readiness(register, m.ksh)}")
    print("\nSign-in is by the clerk's certificate, from a workstation:")
    key = paths.environment_dir(env.id).relative_to(paths.ROOT) / "ssh" / "id_ed25519"
    for office, station in register.workstations():
        login = f"ssh -i {key} -p {register.ssh_port(station)} asp-admin@127.0.0.1"
        print(f"  {station.name:<18} clerk {station.clerk} ({office.name}); {login}")


def _health(service) -> str:
    tasks = service.tasks(filters={"desired-state": "running"})
    wanted = service.attrs["Spec"]["Mode"].get("Replicated", {}).get("Replicas", 1)
    states = [task["Status"]["State"] for task in tasks]
    if not wanted:
        return "stopped"
    running = states.count("running")
    return f"running {running}/{wanted}" + ("" if running == wanted else f" ({', '.join(states) or 'no task'})")


def _readiness(register: Register, ksh: str) -> str:
    file = paths.reports_dir(register.environment.id) / ksh / "report.json"
    if not file.is_file():
        return ""
    with contextlib.suppress(ValueError):
        report = json.loads(file.read_text(encoding="utf-8"))
        verdict = "ready" if report.get("ready") else "NOT ready"
        return f"  {verdict}, report {file.with_suffix('.html').relative_to(paths.ROOT)}"
    return ""


def down(register: Register) -> None:
    """Stop every service and keep all data; `make up` brings them back."""
    runtime = Runtime(register)
    stopped = 0
    for service in _services(runtime):
        if service.attrs["Spec"]["Mode"].get("Replicated", {}).get("Replicas"):
            service.update(mode=ServiceMode("replicated", replicas=0), fetch_current_spec=True)
            stopped += 1
    _until(lambda: not _containers(runtime), "tasks to stop")
    print(f"{stopped} services stopped, data kept. make up ENV={register.environment.id} brings them back")


def clean(register: Register) -> None:
    """Remove everything of this environment: services, secrets, configs, networks, volumes, local files."""
    env = register.environment.id
    _confirm(env)
    runtime = Runtime(register, REMOVAL)
    steps = Steps(paths.LOCAL / "logs")
    label = {"filters": {"label": f"asp.env={env}"}}
    client = runtime.client
    steps.run("Services", lambda: _remove(_services(runtime)))
    _until(lambda: not _kill(runtime), "tasks to stop")
    for container in client.containers.list(all=True, **label):
        container.remove(force=True, v=True)
    steps.run("Secrets and configs", lambda: _remove([*client.secrets.list(**label), *client.configs.list(**label)]))
    steps.run("Networks", lambda: _remove_when_free(lambda: client.networks.list(**label)))
    steps.run("Volumes", lambda: _remove_when_free(lambda: client.volumes.list(**label)))
    steps.run("Local files", lambda: _remove_files(env))


def _confirm(env: str) -> None:
    """Ask for the environment's name, unless YES=1 says it was meant."""
    exports = len(list((paths.environment_dir(env) / "exports").glob("*")))
    also = f", {exports} exports of municipalities that left" if exports else ""
    if os.environ.get("YES") == "1":
        return
    try:
        seen = input(f"Remove environment {env} with all its data{also}? Type its name: ")
    except EOFError:
        seen = "no terminal to ask"
    if seen != env:
        raise StepFailed(f"nothing removed: seen {seen!r}, wanted {env!r} (or YES=1)")


def remove_images() -> None:
    """Images that this project built, found by their label: what `make clean` removes after all environments."""
    import docker

    client = docker.from_env()
    for image in client.images.list(filters={"label": "asp.suite"}):
        with contextlib.suppress(APIError):
            client.images.remove(image.id, force=True)


def _containers(runtime: Runtime) -> list:
    names = {service.name for service in _services(runtime)}
    prefix = runtime.register.names.of("")
    found = runtime.client.containers.list(filters={"label": SERVICE}, sparse=True)
    return [c for c in found if (name := c.attrs["Labels"][SERVICE]) in names or name.startswith(prefix)]


def _kill(runtime: Runtime) -> list:
    """Kill what still runs, and what that was: a database that ends in order archives for a minute what is to go."""
    running = _containers(runtime)
    for container in running:
        with contextlib.suppress(APIError):  # it ended meanwhile
            container.kill()
    return running


def _remove(objects: list) -> str:
    for item in objects:
        with contextlib.suppress(NotFound):
            item.remove()
    return f"{len(objects)} removed" if objects else ""


def _remove_when_free(find) -> str:
    """Remove what a stopping task may hold for a moment."""
    count, last = len(find()), ""

    def attempt() -> bool:
        nonlocal last
        for item in find():
            try:
                item.remove()
            except NotFound:
                continue
            except APIError as error:
                last = error.explanation or str(error)
        return not find()

    _until(attempt, "objects to be let go", lambda: last)
    return f"{count} removed" if count else ""


def _remove_files(env: str) -> str:
    removed = 0
    for path in [*paths.LOCAL.glob(f"config/*/Pulumi.{env}.yaml"), *paths.LOCAL.glob(f"config/*/Pulumi.*.{env}.yaml")]:
        path.unlink()
        removed += 1
    folder = paths.environment_dir(env)
    for path in folder.iterdir() if folder.is_dir() else []:
        # The lock of this very run goes with its process; test artefacts are what a failed run is looked at by.
        if path.name in ("up.lock", "artefacts"):
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        removed += 1
    return f"{removed} removed" if removed else ""


def _until(done, what: str, last=lambda: "") -> None:
    deadline = time.monotonic() + LIMIT
    while not done():
        if time.monotonic() > deadline:
            raise StepFailed(f"waited {LIMIT} s for {what}; last seen: {last() or 'still there'}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(remove_images())
