"""Remove every trace of an environment: found by labels, whatever state says."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from docker.models.volumes import Volume

from centre.faults import OK
from centre.reach.runtime import Runtime
from centre.verbs import lock
from centre.verbs.progress import StepFailed, Steps
from centre.verbs.services import kill, remove, remove_when_free, services, until
from inventory import paths
from inventory.register import Register, load

REMOVAL = 900  # seconds that the daemon may take for one volume: a full cell's has a million files
# The lock of this very run goes with its process; test artefacts are what a failed run is looked at by.
STAYING = (lock.FILE, "artefacts")


def run(options: argparse.Namespace) -> int:
    """`asp clean ENV`, or with --all every environment of the register, and the images that this project built."""
    environments = [options.env]
    if options.all:
        environments = sorted(file.parent.name for file in paths.ENVIRONMENTS.glob("*/environment.yaml"))
    for env in environments:
        register = load(env)
        if options.all and not leftovers(register):
            continue
        with lock.hold(env, "clean"):
            clean(register)
    if options.all:
        return subprocess.run([sys.executable, "-m", "stacks.images.build", "--remove"]).returncode
    return OK


def leftovers(register: Register) -> bool:
    """Whether anything of an environment is here, on a machine's daemon or in its folder."""
    folder = paths.environment_dir(register.environment.id)
    if folder.is_dir() and any(path.name not in STAYING for path in folder.iterdir()):
        return True
    if not any(machine.local for machine in register.environment.machines):
        return False  # of machines elsewhere, only what was worked on from here
    runtime, label = Runtime(register), labelled(register.environment.id)
    return bool(services(runtime) or volumes(runtime) or runtime.client.networks.list(filters=label))


def clean(register: Register) -> None:
    """Remove everything of this environment: services, secrets, configs, networks, volumes, local files."""
    env = register.environment.id
    confirm(env)
    runtime = Runtime(register, REMOVAL)
    runtime.daemons()  # nothing goes while a machine keeps its part
    steps = Steps(paths.LOCAL / "logs")
    label, client = labelled(env), runtime.client
    steps.run("Services", lambda: remove(services(runtime)))
    until(lambda: not kill(runtime), "tasks to stop")
    for daemon in runtime.daemons():
        for container in daemon.containers.list(all=True, filters=label):
            container.remove(force=True, v=True)
    files = [*client.secrets.list(filters=label), *client.configs.list(filters=label)]
    steps.run("Secrets and configs", lambda: remove(files))
    steps.run("Networks", lambda: remove_when_free(lambda: client.networks.list(filters=label)))
    steps.run("Volumes", lambda: remove_when_free(lambda: volumes(runtime)))
    steps.run("Local files", lambda: remove_files(env))


def volumes(runtime: Runtime) -> list[Volume]:
    """The environment's volumes on every machine."""
    label = labelled(runtime.register.environment.id)
    return [volume for daemon in runtime.daemons() for volume in daemon.volumes.list(filters=label)]


def labelled(env: str) -> dict[str, str | list[str] | bool]:
    """The daemon's filter for whatever the stacks of an environment created."""
    return {"label": f"asp.env={env}"}


def confirm(env: str) -> None:
    """Ask for the environment's name, unless YES=1 confirms it."""
    exports = len(list((paths.environment_dir(env) / "exports").glob("*")))
    also = f", {exports} exports of municipalities that left" if exports else ""
    if os.environ.get("YES") == "1":
        return
    try:
        answer = input(f"Remove environment {env} with all its data{also}? Type its name: ")
    except EOFError:
        answer = "no terminal to ask"
    if answer != env:
        raise StepFailed(f"nothing removed: seen {answer!r}, wanted {env!r} (or YES=1)")


def remove_files(env: str) -> str:
    """Files of an environment in the project's own folder, besides those that stay."""
    removed = 0
    for path in [*paths.LOCAL.glob(f"config/*/Pulumi.{env}.yaml"), *paths.LOCAL.glob(f"config/*/Pulumi.*.{env}.yaml")]:
        path.unlink()
        removed += 1
    folder = paths.environment_dir(env)
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.name in STAYING:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        removed += 1
    return f"{removed} removed" if removed else ""
