"""A tenant's database out of the cell's repository, in a scratch container that nothing can reach."""

from __future__ import annotations

import contextlib
import json
import math
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from centre.reach import processes
from centre.reach.psql import PSQL, CellSql
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from inventory.vault import vault
from stacks.configs import pgbackrest
from stacks.configs.pgbackrest import DAILY, VAULT
from stacks.configs.postgres import AUTH_DATABASE, UID
from stacks.configs.sql import literal

PROGRAM = "asp-restore"  # in image postgres
SOURCE = "/source"
MAKER = "asp.process"  # label: the process that a scratch container serves, number and start
COMPUTER = "asp.computer"  # label: where that process runs, whose numbers say nothing elsewhere
LIMIT = timedelta(days=1)  # for which a restore from another computer may take
MEMORY_MIB = 1024  # for the processes of a scratch container
SHARED_MIB = 1024  # what a restore needs beside its database: the cluster's own files, WAL, a hole for each other file
MEMINFO = Path("/proc/meminfo")
# A container in which data is restored: nothing reaches it, and it reaches nothing but its volumes.
CREATION: dict[str, Any] = {
    "user": f"{UID}:{UID}",
    "network_mode": "none",
    "init": True,
    "read_only": True,
    "cap_drop": ["ALL"],
    "mem_limit": f"{MEMORY_MIB}m",
    "tmpfs": {"/tmp": f"uid={UID},mode=0700"},
}


class NoRoom(RuntimeFault):
    """A restore ended because its /data is full."""


@dataclass(frozen=True)
class Scratch:
    """A restored database that runs in a container of its own."""

    runtime: Runtime
    container: Container
    database: str

    def script(self, sql: str) -> str:
        """What psql prints for a script (unaligned). RuntimeFault with PostgreSQL's message."""
        argv = [*PSQL, "--host=/tmp", "--username=postgres", f"--dbname={self.database}", "--file=-"]
        result = self.runtime.inside(self.container, argv, sql, timeout=3600)
        if result.code != 0:
            raise RuntimeFault(f"{self.container.name}: psql exited with {result.code}: {result.err.strip()[-1500:]}")
        return result.out


@contextlib.contextmanager
def restored(
    cell: CellSql,
    tenant: str,
    until: datetime | None = None,
    timeout: float = 900,
    repository: int = DAILY,
    neighbours: bool = False,
) -> Iterator[Scratch]:
    """The tenant's database as it was at a moment (with time zone), or at the end of the archive.

    `neighbours`: the other databases come back as well, not as holes. RuntimeFault when it cannot be restored. What
    killed runs left is removed first.

    It comes back in memory where there is room: pgBackRest makes a file for each of the cluster, wanted or not, and
    hundreds of thousands of them took a disk half of the restore, and minutes to be removed again.
    """
    request = json.dumps(
        {
            "stanza": cell.cell_id,
            "database": tenant,
            "fallback": AUTH_DATABASE,
            "until": until.isoformat(sep=" ") if until else None,
            "neighbours": neighbours,
        }
    )
    deadline = time.monotonic() + timeout
    memory = None if neighbours else _memory(cell, tenant)
    try:
        container = _ready(cell, tenant, request, repository, memory, timeout)
    except NoRoom:
        if memory is None:
            raise
        container = _ready(cell, tenant, request, repository, None, deadline - time.monotonic())
    try:
        yield Scratch(cell.runtime, container, tenant)
    finally:
        _leave(container)


def _memory(cell: CellSql, tenant: str) -> int | None:
    """MiB of memory that a restore of the database may fill, None when a disk must do.

    By what it holds now: at another moment it may have been larger, so three times that.
    """
    size = "SELECT to_json(coalesce(sum(pg_database_size(oid)), 0)) FROM pg_database"
    (octets,) = cell.rows(f"{size} WHERE datname = {literal(tenant)};", role="postgres")
    mib = SHARED_MIB + 3 * int(octets) // 2**20
    lines = _meminfo(cell).splitlines()
    available = next(int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:"))
    return mib if mib <= available // 4 else None


def _meminfo(cell: CellSql) -> str:
    """The kernel's word on the memory of the machine that a restore runs on: the one that has the repository."""
    if not cell.runtime.register.environment.several_machines:
        return MEMINFO.read_text(encoding="ascii")
    return cell.runtime.check(cell.cell.backup, ["cat", str(MEMINFO)])


def _ready(cell: CellSql, tenant: str, request: str, repository: int, memory: int | None, timeout: float) -> Container:
    """A container in which the tenant is restored; none is left when it could not be."""
    env = cell.runtime.register.environment.id
    purpose = {"asp.env": env, "asp.stack": "restore", "asp.restore": tenant}
    maker = processes.this()
    labels = {**purpose, MAKER: f"{maker.pid} {maker.start}", COMPUTER: processes.computer()}
    # A daemon that removes the hundred thousand files of the one before took half a minute to start this one.
    client = Runtime(cell.runtime.register, math.ceil(timeout)).machines.holding(volume_of(cell, repository))
    name = f"{cell.cell.prefix}-restore-{tenant}-{secrets.token_hex(4)}"
    try:
        clear(client, purpose)
        clear_stale(client, env)
        image = cell.runtime.container(cell.node).image
        assert image is not None and image.id is not None, "the image of a running container"
        container = client.containers.create(
            image.id,
            [PROGRAM, "tenant", request],
            **CREATION | _data(memory, labels),
            name=name,
            labels=labels,
            volumes={volume_of(cell, repository): {"bind": SOURCE, "mode": "ro"}},
        )
        try:
            container.start()
            configure(cell, container, repository)
            wait_for(container, timeout, "restored")
        except BaseException:
            _leave(container)
            raise
    except (DockerException, OSError) as error:
        raise RuntimeFault(f"{name}: the scratch container could not be run: {error}") from error
    return container


def _leave(container: Container) -> None:
    """Nobody waits for a hundred thousand files to go, but the process does before it ends."""
    threading.Thread(target=_remove, args=(container,)).start()


def _data(memory: int | None, labels: Mapping[str, str]) -> dict[str, Any]:
    """Where a scratch container has its /data: so many MiB of memory, or a volume of its own that goes with it."""
    if memory is None:
        return {"mounts": [{"Type": "volume", "Target": "/data", "VolumeOptions": {"Labels": labels}}]}
    options = f"uid={UID},mode=0700,size={memory}m,nr_inodes=0"
    return {"tmpfs": CREATION["tmpfs"] | {"/data": options}, "mem_limit": f"{MEMORY_MIB + memory}m"}


def clear(client: DockerClient, purpose: Mapping[str, str]) -> None:
    """Remove the containers of a purpose (labels), also those of a killed run."""
    for leftover in _labelled(client, *(f"{key}={value}" for key, value in purpose.items())):
        _remove(leftover)


def clear_stale(client: DockerClient, env: str) -> None:
    """Remove what killed runs left, of whatever tenant: it holds a municipality's data."""
    for leftover in _labelled(client, f"asp.env={env}", "asp.restore"):
        if _stale(leftover):
            _remove(leftover)


def _stale(container: Container) -> bool:
    """Whether nobody waits for a restore any more. Of another computer's process only the container tells."""
    if container.labels.get(COMPUTER, processes.computer()) != processes.computer():
        age = datetime.now(UTC) - datetime.fromisoformat(container.attrs["Created"][:19] + "+00:00")
        return container.status in ("exited", "dead") or age > LIMIT
    maker = container.labels.get(MAKER)
    return not maker or not processes.Process(*map(int, maker.split())).alive


def _labelled(client: DockerClient, *labels: str) -> list[Container]:
    return client.containers.list(all=True, filters={"label": list(labels)}, ignore_removed=True)


def volume_of(cell: CellSql, repository: int) -> str:
    """Volume that holds a repository of the cell."""
    return {DAILY: cell.cell.backup, VAULT: cell.cell.vault}[repository]


def configure(cell: CellSql, container: Container, repository: int) -> None:
    """Tell the restore where its only repository is, and its key."""
    options = {
        "repo1-path": f"{pgbackrest.folder(repository, SOURCE)}/repo",
        "repo1-cipher-type": pgbackrest.CIPHER,
        "repo1-cipher-pass": vault.load(cell.runtime.register).password(pgbackrest.KEYS[repository]),
    }
    result = cell.runtime.inside(container, [PROGRAM, "configure"], json.dumps(options))
    if result.code != 0:
        raise RuntimeFault(f"{container.name}: could not be configured: {result.err.strip()}")


def _remove(container: Container) -> None:
    # The daemon goes on with what takes it longer than we wait.
    with contextlib.suppress(APIError, OSError, Unreachable):
        container.remove(force=True, v=True)


def wait_for(container: Container, timeout: float, state: str) -> None:
    """Wait until the restore tells a state; RuntimeFault with its words when it ended before, or took too long.

    NoRoom when it ended because /data is full.
    """
    deadline = time.monotonic() + timeout
    while state not in _states(container):
        container.reload()
        if container.status == "exited":
            output = container.logs(stdout=False).decode(errors="replace").strip()[-1500:]
            fault = NoRoom if "full" in _states(container) else RuntimeFault
            raise fault(f"{container.name}: exited with {container.attrs['State']['ExitCode']}: {output}")
        if time.monotonic() > deadline:
            raise RuntimeFault(f"{container.name}: not restored within {timeout:.0f} s")
        time.sleep(0.1)


def _states(container: Container) -> list[str]:
    lines = container.logs(stderr=False).decode(errors="replace").split("\n")[:-1]  # the last one may be half a line
    return [json.loads(line)["state"] for line in lines]
