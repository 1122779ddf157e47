"""Proving that a tenant comes back out of a backup: restore into a scratch container that nothing can reach."""

from __future__ import annotations

import contextlib
import secrets
import shlex
import time
from datetime import datetime

from docker.errors import APIError, DockerException

from stacks.cell.psql import CellSql
from stacks.components.pgbackrest import REPOSITORY
from stacks.components.postgres import UID
from stacks.runtime import RuntimeFault

# Everything but the wanted database comes back as holes; the server starts with settings of its own, unarchived, on a
# socket. hot_standby off: then replay does not ask for the primary's max_connections.
_SCRIPT = """\
set -euo pipefail
cat >/tmp/pgbackrest.conf <<CONF
[global]
repo1-path={repository}
lock-path=/tmp/lock
log-level-file=off
log-level-console=off
log-level-stderr=error
[{stanza}]
pg1-path=/scratch/pgdata
CONF
export PGBACKREST_CONFIG=/tmp/pgbackrest.conf PGHOST=/tmp
mkdir -m 0700 /scratch/pgdata
pgbackrest --stanza={stanza} --db-include={database} --archive-mode=off {target} restore
cat >/tmp/postgresql.conf <<CONF
data_directory = '/scratch/pgdata'
hba_file = '/tmp/pg_hba.conf'
ident_file = '/scratch/pgdata/pg_ident.conf'
listen_addresses = ''
unix_socket_directories = '/tmp'
hot_standby = off
fsync = off
CONF
echo 'local all postgres peer' >/tmp/pg_hba.conf
postgres -c config_file=/tmp/postgresql.conf >/tmp/log 2>&1 &
server=$!
for _ in $(seq 600); do
  if psql -XAtqU postgres -d {database} -c 'SELECT 1' >/dev/null 2>&1; then
    psql -XAtqU postgres -v ON_ERROR_STOP=1 -d {database} -c {query}
    exit
  fi
  kill -0 $server || break
  sleep 0.1
done
tail -n 20 /tmp/log >&2
exit 1
"""


def query_restored(cell: CellSql, tenant: str, query: str, until: datetime | None = None, timeout: float = 300) -> str:
    """What `query` prints (psql, unaligned) in the tenant's database restored from the cell's repository.

    `until`: a moment with time zone, else the end of the archive. RuntimeFault when it cannot be restored.
    """
    client = cell.runtime.client
    image = cell.runtime.container(cell.node).image
    target = "--type=default"
    if until:
        target = f"--type=time --target={shlex.quote(until.isoformat(sep=' '))} --target-action=promote"
    script = _SCRIPT.format(
        repository=REPOSITORY,
        stanza=cell.cell_id,
        database=tenant,
        target=target,
        query=shlex.quote(query),
    )
    name = f"{cell.cell.prefix}-restore-{secrets.token_hex(4)}"
    try:
        container = client.containers.create(
            image.id,
            ["bash", "-c", script],
            name=name,
            user=f"{UID}:{UID}",
            network_mode="none",
            init=True,
            read_only=True,
            cap_drop=["ALL"],
            mem_limit="1g",
            labels={"asp.env": cell.runtime.register.environment.id, "asp.stack": "restore"},
            volumes={cell.cell.backup: {"bind": "/data", "mode": "ro"}},
            tmpfs={"/scratch": f"uid={UID},mode=0700", "/tmp": f"uid={UID},mode=0700"},
        )
        try:
            container.start()
            code = _wait(container, timeout)
            out = container.logs(stdout=True, stderr=False).decode()
            err = container.logs(stdout=False, stderr=True).decode()
        finally:
            with contextlib.suppress(APIError):
                container.remove(force=True)
    except (DockerException, OSError) as error:
        raise RuntimeFault(f"{name}: the scratch container could not be run: {error}") from error
    if code != 0:
        raise RuntimeFault(f"{name}: restore of {tenant} exited with {code}: {err.strip()[-1500:]}")
    return out


def _wait(container, timeout: float) -> int:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        container.reload()
        if container.status == "exited":
            return container.attrs["State"]["ExitCode"]
        time.sleep(0.2)
    raise RuntimeFault(f"{container.name}: no end within {timeout:.0f} s")
