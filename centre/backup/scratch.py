"""A tenant's database out of the cell's repository, in a scratch container that nothing can reach."""

from __future__ import annotations

import contextlib
import secrets
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from centre.reach import processes
from centre.reach.psql import PSQL, CellSql
from centre.reach.runtime import Runtime, RuntimeFault
from inventory.vault import vault
from stacks.configs import pgbackrest
from stacks.configs.pgbackrest import DAILY, VAULT
from stacks.configs.postgres import AUTH_DATABASE, UID
from stacks.configs.sql import literal

READY = "asp-restored"
SOURCE = "/source"
PRELOAD = "libeatmydata.so"  # the restore syncs nothing
MAKER = "asp.process"  # label: the process that a scratch container serves, number and start
MEMORY_MIB = 1024  # for the processes of a scratch container
SHARED_MIB = 1024  # what a restore needs beside its database: the cluster's own files, WAL, a hole for each other file
FULL = "No space left on device"
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
# Everything but the wanted database comes back as holes; the server starts with settings of its own, unarchived, on a
# socket. hot_standby off: then replay does not ask for the primary's max_connections.
_SCRIPT = """\
set -euo pipefail
until [ -s /tmp/pgbackrest.conf ]; do sleep 0.05; done  # it may hold a key, so it comes by standard input
cat >>/tmp/pgbackrest.conf <<CONF
lock-path=/tmp/lock
log-level-file=off
log-level-console=off
log-level-stderr=error
process-max=2
archive-async=y
spool-path=/data/spool
archive-get-queue-max=256MiB
[{stanza}]
pg1-path=/data/pgdata
CONF
export PGBACKREST_CONFIG=/tmp/pgbackrest.conf PGHOST=/tmp
mkdir -m 0700 /data/pgdata
# A hole for each file of every other database, unsynced, as is the WAL that replay fetches ahead: nothing here outlives
# the container (B1 in docs/cells.md).
export LD_PRELOAD={preload}
restore() {{ pgbackrest --stanza={stanza} --archive-mode=off {target} "$@" restore; }}
restore {only} 2>/tmp/said || {{
  code=$?
  # A database that is younger than the backup (80): replay brings the whole of it, so one that is in every backup and
  # as good as empty is named instead, and all others come back as holes.
  [ $code = 80 ] || {{ cat /tmp/said >&2; exit $code; }}
  find /data/pgdata -mindepth 1 -delete
  restore --db-include={always}
}}
cat >/tmp/postgresql.conf <<CONF
data_directory = '/data/pgdata'
hba_file = '/tmp/pg_hba.conf'
ident_file = '/data/pgdata/pg_ident.conf'
listen_addresses = ''
unix_socket_directories = '/tmp'
hot_standby = off
fsync = off
autovacuum = off
shared_buffers = '64MB'
CONF
echo 'local all postgres peer' >/tmp/pg_hba.conf
postgres -c config_file=/tmp/postgresql.conf >/tmp/log 2>&1 &
server=$!
there="SELECT count(*) FROM pg_database WHERE datname = '{database}'"
for _ in $(seq 6000); do
  if psql -XAtqU postgres -d {database} -c 'SELECT 1' >/dev/null 2>&1; then
    echo {ready}
    wait $server
    exit
  fi
  if [ "$(psql -XAtqU postgres -d postgres -c "$there" 2>/dev/null)" = 0 ]; then
    echo "no database {database} at that moment" >&2
    exit 1
  fi
  kill -0 $server || break
  sleep 0.1
done
tail -n 20 /tmp/log >&2
exit 1
"""


@dataclass(frozen=True)
class Scratch:
    """A restored database that runs in a container of its own."""

    runtime: Runtime
    container: Container
    database: str

    def script(self, sql: str) -> str:
        """What psql prints for a script (unaligned). RuntimeFault with PostgreSQL's message."""
        argv = [*PSQL, "--host=/tmp", "--username=postgres", f"--dbname={self.database}", "--file=-"]
        done = self.runtime.inside(self.container, argv, sql, timeout=3600)
        if done.code != 0:
            raise RuntimeFault(f"{self.container.name}: psql exited with {done.code}: {done.err.strip()[-1500:]}")
        return done.out


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
    target = "--type=default"
    if until:
        target = f"--type=time --target={shlex.quote(until.isoformat(sep=' '))} --target-action=promote"
    script = _SCRIPT.format(
        stanza=cell.cell_id,
        database=tenant,
        only="" if neighbours else f"--db-include={tenant}",
        always=AUTH_DATABASE,
        target=target,
        ready=READY,
        preload=PRELOAD,
    )
    deadline = time.monotonic() + timeout
    memory = None if neighbours else _memory(cell, tenant)
    try:
        container = _ready(cell, tenant, script, repository, memory, timeout)
    except RuntimeFault as fault:
        if memory is None or FULL not in str(fault):
            raise
        container = _ready(cell, tenant, script, repository, None, deadline - time.monotonic())
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
    wanted = SHARED_MIB + 3 * int(octets) // 2**20
    with MEMINFO.open() as lines:
        available = next(int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:"))
    return wanted if wanted <= available // 4 else None


def _ready(cell: CellSql, tenant: str, script: str, repository: int, memory: int | None, timeout: float) -> Container:
    """A container in which the script has restored the tenant; none is left when it has not."""
    env = cell.runtime.register.environment.id
    purpose = {"asp.env": env, "asp.stack": "restore", "asp.restore": tenant}
    maker = processes.this()
    labels = {**purpose, MAKER: f"{maker.pid} {maker.start}"}
    # A daemon that removes the hundred thousand files of the one before took half a minute to start this one.
    client = Runtime(cell.runtime.register, timeout).client
    name = f"{cell.cell.prefix}-restore-{tenant}-{secrets.token_hex(4)}"
    try:
        clear(client, purpose)
        clear_stale(client, env)
        container = client.containers.create(
            cell.runtime.container(cell.node).image.id,
            ["bash", "-c", script],
            **CREATION | _data(memory, labels),
            name=name,
            labels=labels,
            volumes={volume_of(cell, repository): {"bind": SOURCE, "mode": "ro"}},
        )
        try:
            container.start()
            configure(cell, container, repository)
            wait_for(container, timeout, lambda: READY in container.logs(stderr=False).decode().split())
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
    for left in _labelled(client, *(f"{key}={value}" for key, value in purpose.items())):
        _remove(left)


def clear_stale(client: DockerClient, env: str) -> None:
    """Remove what killed runs left, of whatever tenant: it holds a municipality's data."""
    for left in _labelled(client, f"asp.env={env}", "asp.restore"):
        maker = left.labels.get(MAKER)
        if not maker or not processes.Process(*map(int, maker.split())).alive:
            _remove(left)


def _labelled(client: DockerClient, *labels: str) -> list[Container]:
    return client.containers.list(all=True, filters={"label": list(labels)}, ignore_removed=True)


def volume_of(cell: CellSql, repository: int) -> str:
    """Volume that holds a repository of the cell."""
    return {DAILY: cell.cell.backup, VAULT: cell.cell.vault}[repository]


def configure(cell: CellSql, container: Container, repository: int) -> None:
    """Tell the restore where its only repository is and, if that one is encrypted, its key."""
    lines = ["[global]", f"repo1-path={SOURCE}/repo"]
    if repository == VAULT:
        key = vault.load(cell.runtime.register).password("backup_vault")
        lines += [f"repo1-cipher-type={pgbackrest.CIPHER}", f"repo1-cipher-pass={key}"]
    write = ["sh", "-c", "umask 077; cat >/tmp/new && mv /tmp/new /tmp/pgbackrest.conf"]
    done = cell.runtime.inside(container, write, "\n".join(lines) + "\n")
    if done.code != 0:
        raise RuntimeFault(f"{container.name}: could not be configured: {done.err.strip()}")


def _remove(container: Container) -> None:
    with contextlib.suppress(APIError, OSError):  # the daemon goes on with what takes it longer than we wait
        container.remove(force=True, v=True)


def wait_for(container: Container, timeout: float, ready: Callable[[], bool]) -> None:
    """Wait until `ready`; RuntimeFault with the container's words when it ended before that, or took too long."""
    deadline = time.monotonic() + timeout
    while not ready():
        container.reload()
        if container.status == "exited":
            said = container.logs(stdout=False).decode(errors="replace").strip()[-1500:]
            raise RuntimeFault(f"{container.name}: exited with {container.attrs['State']['ExitCode']}: {said}")
        if time.monotonic() > deadline:
            raise RuntimeFault(f"{container.name}: not restored within {timeout:.0f} s")
        time.sleep(0.1)
