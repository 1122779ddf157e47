"""The operator's verbs over a whole environment: `python -m centre.verbs.up {up,status,down,clean} ENV`.

`up` goes through the steps of data flow – register, secrets, images, stacks, playbooks, checks – and can be killed at
any point: each step is idempotent, so the next run completes what this one left.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from centre.database.upgrade import upgrade
from centre.reach.runtime import Runtime, RuntimeFault
from centre.verbs.environment import clean, down, status
from centre.verbs.progress import StepFailed, Steps
from inventory import paths
from inventory.errors import RegisterError
from inventory.register import Register, load
from inventory.rules.unchangeable import KEEP
from inventory.vault import vault
from stacks import order
from stacks.order import Stack

CHANGES = re.compile(r"^\s+\S+\s+(\d+) (created|updated|replaced|deleted)$", re.MULTILINE)
RECAP = re.compile(r"\bchanged=(\d+)")


def main() -> int:
    """Exit 0 when done, 1 when a step failed, 2 when the register is not sound or the call is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m centre.verbs.up", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["up", "status", "down", "clean"])
    parser.add_argument("env", help="environment of the register")
    arguments = parser.parse_args()
    verbs = {"up": up, "status": status, "down": down, "clean": clean}
    try:
        register = load(arguments.env)
        with alone(register):
            verbs[arguments.verb](register)
    except RegisterError as error:
        print(f"The register is not sound; nothing was touched.\n{error}", file=sys.stderr)
        return 2
    except (StepFailed, RuntimeFault) as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def alone(register: Register) -> Iterator[None]:
    """One verb at a time on an environment; the lock goes with its process."""
    folder = paths.environment_dir(register.environment.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip() or "another process"
            raise StepFailed(
                f"environment {register.environment.id} is being worked on by {owner}. Wait for it"
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} ({' '.join(sys.argv[1:])})")
        lock.flush()
        yield


def up(register: Register) -> None:
    """Bring the environment to what the register says."""
    env = register.environment.id
    started = time.monotonic()
    steps = Steps(paths.environment_dir(env) / "logs")
    python = [sys.executable, "-m"]
    keeps_its_nodes(register)
    steps.run("Register and secrets", lambda: _counted(vault.ensure(register)[1], "made"))
    steps.run("Published ports", lambda: ports(register))
    steps.run("Images", lambda: _built(steps.command("images", [*python, "stacks.images.build"], limit=3000)))
    environ = pulumi_environment(register)
    for number, wave in enumerate(order.waves(register)):
        if number == order.APP_WAVE:  # an older schema would meet newer app servers
            steps.run("Schemas of existing tenants", lambda: _counted(upgrade(register), "changed"))
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            done = [pool.submit(steps.run, title(s), lambda s=s: bring_up(steps, s, environ)) for s in wave]
        for future in done:
            future.result()
    playbook(steps, env, "join", "Municipalities join")
    playbook(steps, env, "endpoints", "Workstations")
    playbook(steps, env, "drill", "Restore drill")
    live = [m for m in register.joined() if m.phase == "live"]
    for municipality in live:
        arguments = [*python, "checks", "--env", env, "--tenant", municipality.ksh]
        name = f"checks-{municipality.ksh}"
        steps.run(f"Readiness of {municipality.name}", lambda n=name, a=arguments: _report(steps.command(n, a)))
        print((steps.logs / f"{name}.log").read_text())
    total = time.monotonic() - started
    verdict = f"{steps.changed} steps changed something" if steps.changed else "nothing changed"
    print(f"Environment {env} is up after {total:.0f} s: {verdict}. Addresses and sign-in: make status ENV={env}")


def title(stack: Stack) -> str:
    return f"Stack {stack.project} {stack.name}"


def pulumi() -> list[str]:
    """The engine that runs stacks: PULUMI, default the embedded one."""
    return shlex.split(os.environ.get("PULUMI") or "") or [sys.executable, "-m", "stacks.engine"]


def pulumi_environment(register: Register) -> dict[str, str]:
    """Where state lies and what opens it; only ever in a process's environment."""
    folder = paths.state_dir(register.environment.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": vault.load(register).password("pulumi_passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONPATH": str(paths.ROOT),
    }


def bring_up(steps: Steps, stack: Stack, environ: dict[str, str]) -> str | None:
    """Select (or create) a stack and make it what its program says; what changed.

    With --refresh: what was stopped or removed by hand is seen and put back.
    """
    (paths.LOCAL / "config" / stack.project).mkdir(parents=True, exist_ok=True)
    name = f"{stack.project}-{stack.name}"
    base = [*pulumi(), "-C", stack.folder, "--non-interactive"]
    steps.command(f"{name}-select", [*base, "stack", "select", "--create", stack.name], environ)
    arguments = [*base, "up", "--stack", stack.name, "--yes", "--skip-preview", "--refresh"]
    # Three nodes and three members, one after the other, each of which may take as long as its service waits.
    changes = CHANGES.findall(steps.command(name, arguments, environ, limit=3600))
    return ", ".join(f"{count} {what}" for count, what in changes)


def playbook(steps: Steps, env: str, name: str, label: str) -> None:
    """Run a playbook; its recap says how many tasks changed something."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), f"playbooks/{name}.yml"]

    def run() -> str:
        environ = {"ASP_ENV": env, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg")}
        count = sum(int(number) for number in RECAP.findall(steps.command(name, command, environ)))
        return f"{count} tasks changed" if count else ""

    steps.run(label, run)


def keeps_its_nodes(register: Register) -> None:
    """No cell has more nodes on the daemon than in the register, whatever this machine remembers of it."""
    volumes = {volume.name for volume in Runtime(register).client.volumes.list()}
    for cell in register.environment.cells:
        names = register.cell(cell.id)
        if cell.nodes == 1 and f"{names.prefix}-postgres-2" in volumes:
            raise StepFailed(
                f"cell {cell.id}: volume {names.prefix}-postgres-2: seen nodes: 1, but the cell has 3; a node taken "
                f"out would go with its data. {KEEP.format(3)}. Nothing was touched"
            )


def ports(register: Register) -> None:
    """Published ports are free or already ours."""
    runtime = Runtime(register)
    ours = {
        port.get("PublishedPort")
        for service in runtime.client.services.list(filters={"label": f"asp.env={register.environment.id}"})
        for port in service.attrs["Spec"].get("EndpointSpec", {}).get("Ports", [])
    }
    wanted = {"https": register.environment.ports.https, "http": register.environment.ports.http}
    wanted |= {f"SSH of {station.name}": register.ssh_port(station) for _, station in register.workstations()}
    for what, port in wanted.items():
        if port in ours:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as error:
                file = f"inventory/environments/{register.environment.id}/environment.yaml"
                raise StepFailed(
                    f"port {port} ({what}): seen taken by another program ({error.strerror}), wanted free. "
                    f"Stop it (ss -ltnp 'sport = :{port}' names it) or change ports in {file}"
                ) from error


def _counted(changes: list[str], what: str) -> str:
    return f"{len(changes)} {what}" if changes else ""


def _built(output: str) -> str:
    count = int(re.search(r"^(\d+) built", output, re.MULTILINE).group(1))
    return f"{count} built" if count else ""


def _report(_output: str) -> None:
    """Checks change nothing; their table is shown by the caller."""


def run_stack(arguments: list[str]) -> int:
    """`make stack`: the engine on one stack with this environment's state."""
    env, project, *rest = arguments
    register = load(env)
    stack = next((s for wave in order.waves(register) for s in wave if s.project == project), None)
    if stack is None:
        known = ", ".join(s.project for wave in order.waves(register) for s in wave)
        print(f"stack {project!r}: wanted one of {known}", file=sys.stderr)
        return 2
    try:
        keeps_its_nodes(register)
    except (StepFailed, RuntimeFault) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    command = [*pulumi(), "-C", stack.folder, *rest, "--stack", stack.name]
    return subprocess.run(command, env={**os.environ, **pulumi_environment(register)}).returncode


if __name__ == "__main__":
    sys.exit(run_stack(sys.argv[2:]) if sys.argv[1:2] == ["stack"] else main())
