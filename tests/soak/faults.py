"""What breaks during a soak, one at a time; each ends by itself within its limit."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from centre.backup.backups import Repository
from centre.reach.leader import leader
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.verbs import plays, summaries
from inventory import paths
from inventory.models import Municipality
from inventory.register import Register
from tests.soak import daemon

UP_SECONDS = 600
RELOAD = """
import socket
with socket.socket(socket.AF_UNIX) as master:
    master.settimeout(60)
    master.connect("/run/asp/master.sock")
    master.sendall(b"reload\\n")
    answer = b"".join(iter(lambda: master.recv(65536), b""))
print(answer.decode(errors="replace"), end="")
"""
# Process 1 is the init, its child gunicorn's master, whose children are the workers. There is no ps: /proc says it.
KILL_WORKERS = """
import contextlib, os, signal
parents = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    with contextlib.suppress(OSError):
        if b"/gunicorn\\0" in open(f"/proc/{pid}/cmdline", "rb").read():
            parents[int(pid)] = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
workers = [pid for pid, parent in parents.items() if parents.get(parent) == 1]
for pid in workers:
    os.kill(pid, signal.SIGKILL)
print(len(workers))
"""


class Failure(Exception):
    """The fault did something that it should not have."""


@dataclass
class Ground:
    """Where faults are planted. `folder`: for what programs print."""

    register: Register
    runtime: Runtime
    municipality: Municipality
    folder: Path

    @property
    def cell(self) -> CellSql:
        return CellSql(self.runtime, self.municipality.cell)

    def kill(self, service: str) -> str:
        """Kill a service's container; Swarm starts another one."""
        self.runtime.container(service).kill()
        return service


@dataclass(frozen=True)
class Fault:
    """`act`: plants it and returns where; `excuses`: people may notice it.

    `limit`: seconds until all is well again, from the end of `act`.
    """

    name: str
    title: str
    excuses: bool
    limit: float
    act: Callable[[Ground, random.Random], str]


def app_server(ground: Ground, chance: random.Random) -> str:
    return ground.kill(ground.cell.cell.app(chance.choice(ground.register.systems_of(ground.municipality))))


def node(ground: Ground, chance: random.Random) -> str:
    return ground.kill(leader(ground.runtime, ground.cell.cell))


def pooler(ground: Ground, chance: random.Random) -> str:
    return ground.kill(ground.cell.cell.proxy)


def identity(ground: Ground, chance: random.Random) -> str:
    return ground.kill(ground.register.names.identity)


def edge_reload(ground: Ground, chance: random.Random) -> str:
    service = ground.register.names.edge
    answer = ground.runtime.check(service, ["python3", "-"], stdin=RELOAD)
    if not answer.startswith("Success=1"):
        raise Failure(f"no reload: {answer[-300:]}")
    return service


def handler(ground: Ground, chance: random.Random) -> str:
    """The worker dies that brings messages to a system of the chain: in the middle of one, if there is one."""
    service = ground.cell.cell.app(chance.choice(("irat", "ado", "elugy", "iparker", "hagyatek")))
    killed = ground.runtime.check(service, ["python", "-"], stdin=KILL_WORKERS).strip()
    if killed == "0":
        raise Failure(f"no worker in {service}")
    return service


def backup(ground: Ground, chance: random.Random) -> str:
    Repository(ground.cell).back_up("incr", 300)
    return ground.cell.cell.backup


def join_again(ground: Ground, chance: random.Random) -> str:
    """A municipality joins once more, which must change nothing."""
    ksh, summary = ground.municipality.ksh, ground.folder / "join.summary.json"
    summary.unlink(missing_ok=True)
    environment = plays.environment(ground.register.environment.id) | {summaries.PLAY_SUMMARY: str(summary)}

    with (ground.folder / "join.log").open("w") as log:
        argv = plays.argv("join", {"municipality": ksh})
        code = subprocess.run(argv, env=os.environ | environment, stdout=log, stderr=log, timeout=300).returncode
    if code:
        raise Failure(f"join exited with {code}, see {log.name}")
    if changed := json.loads(summary.read_text())["changed"]:
        raise Failure(f"join changed {changed} tasks, see {log.name}")
    return ksh


def machine(ground: Ground, chance: random.Random) -> str:
    """Everything of this machine ends at once, other environments too, and comes up by itself."""
    away = daemon.lose(ground.folder / "dockerd.log")
    return f"daemon away {away:.0f} s"


def machine_and_up(ground: Ground, chance: random.Random) -> str:
    """The same, and an operator runs `up` at once, which finds everything still starting."""
    machine(ground, chance)
    env, log = ground.register.environment.id, ground.folder / "up.log"
    with log.open("w") as stream:
        argv = [sys.executable, "-m", "centre", "up", env]
        code = subprocess.run(argv, cwd=paths.ROOT, stdout=stream, stderr=stream, timeout=UP_SECONDS).returncode
    # A workstation in a container is a new one after such an end; what the stacks hold must be as it was.
    changed = [line for line in log.read_text().splitlines() if line.startswith("Stack ") and "no change" not in line]
    if code or changed:
        raise Failure(f"up exited with {code} and changed {changed}, wanted 0 and no stack, see {log}")
    return "up"


ALL = (
    Fault("app server", "an app server's container is killed", True, 60, app_server),
    Fault("node", "the leading node's container is killed", True, 90, node),
    Fault("pooler", "the pooler's container is killed", True, 60, pooler),
    Fault("identity", "Keycloak's container is killed", True, 180, identity),
    Fault("handler", "the worker of a message handler is killed", True, 30, handler),
    Fault("edge reload", "the edge loads its configuration anew", False, 60, edge_reload),
    Fault("backup", "a backup runs", False, 300, backup),
    Fault("join", "a municipality joins once more", False, 300, join_again),
)
# Only when named: they end whatever runs in containers on this machine.
OF_THE_MACHINE = (
    Fault("machine", "the machine's Docker daemon is killed", True, 60, machine),
    Fault("machine up", "the machine's Docker daemon is killed, and up is run", True, 60, machine_and_up),
)
BY_NAME = {fault.name: fault for fault in (*ALL, *OF_THE_MACHINE)}
