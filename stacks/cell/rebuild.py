"""A whole cell out of one of its repositories, onto a volume that is empty or holds what is to be replaced.

The cluster is restored and replayed in a container of its own, beside what the volume holds; only when it has opened is
it given the cluster's name. What was there stays on the volume as `pgdata.before_<stamp>` until it is forgotten.
"""

from __future__ import annotations

import re
import shlex
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from docker.errors import DockerException, NotFound
from docker.types import ServiceMode

from stacks.cell.backups import Repository
from stacks.cell.psql import CellSql
from stacks.cell.restore import RestoreFault
from stacks.cell.scratch import CREATION, SOURCE, clear, configure, volume_of, wait_for
from stacks.components.postgres import DATA
from stacks.runtime import RuntimeFault, Unreachable

REPLAYED = "asp-replayed"
KEPT = re.compile(r"pgdata\.before_\d{8}t\d{6}z")
STOP_SECONDS, START_SECONDS = 90, 300

# Recovery ends here and not in the node, whose health check would end a long one. The archiver is on and always
# refused, so that the new timeline's history waits in the cluster for the node, which archives it.
_SCRIPT = """\
set -euo pipefail
exec 9>/data/lock
flock --wait 60 9 || {{ echo "the data folder is still in use by the node" >&2; exit 1; }}
until [ -s /tmp/pgbackrest.conf ]; do sleep 0.05; done  # it may hold a key, so it comes by standard input
new={data}.new
cat >>/tmp/pgbackrest.conf <<CONF
lock-path=/tmp/lock
log-level-file=off
log-level-console=off
log-level-stderr=error
process-max=2
[{stanza}]
pg1-path=$new
CONF
export PGBACKREST_CONFIG=/tmp/pgbackrest.conf PGHOST=/tmp
rm -rf "$new"
mkdir -m 0700 "$new"
pgbackrest --stanza={stanza} --archive-mode=preserve {target} restore
cat >/tmp/postgresql.conf <<CONF
data_directory = '$new'
hba_file = '/tmp/pg_hba.conf'
ident_file = '$new/pg_ident.conf'
listen_addresses = ''
unix_socket_directories = '/tmp'
hot_standby = off
fsync = off
autovacuum = off
shared_buffers = '256MB'
archive_mode = on
archive_command = '/bin/false'
CONF
echo 'local all postgres peer' >/tmp/pg_hba.conf
postgres -c config_file=/tmp/postgresql.conf >/tmp/log 2>&1 &
server=$!
until [ "$(psql -XAtqU postgres -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; do
  kill -0 $server 2>/dev/null || {{ tail -n 20 /tmp/log >&2; exit 1; }}
  sleep 0.2
done
for setting in restore_command recovery_target_time recovery_target_action; do
  psql -XAtqU postgres -d postgres -c "ALTER SYSTEM RESET $setting"
done
pg_ctl --pgdata="$new" --mode=fast --wait --timeout=600 stop >/dev/null
sync -f /data
[ ! -e {data} ] || mv -T {data} {data}.before_{stamp}
mv -T "$new" {data}
sync -f /data
echo {replayed}
sleep infinity
"""


@dataclass(frozen=True)
class Rebuilt:
    """A cell that runs again. `kept`: folder of the former cluster on the volume, empty when there was none."""

    kept: str
    down_seconds: float


def may_rebuild(cell: CellSql, repository: int, moment: datetime | None) -> None:
    """RestoreFault unless the cell is of one node and the repository reaches back to `moment` (None: its newest)."""
    if cell.cell.nodes != 1:
        raise RestoreFault(
            f"cell {cell.cell_id}: wanted one node, seen {cell.cell.nodes}; a cell of several is not rebuilt by this "
            "play. A lost node of it is cloned by the others"
        )
    source = Repository(cell, repository)
    backups = source.catalogue().backups
    if not backups:
        raise RestoreFault(f"repository {repository} of {source.stanza}: wanted a faultless backup, seen none")
    first, now = datetime.fromtimestamp(backups[0]["timestamp"]["stop"], UTC), datetime.now(UTC)
    if moment and not first <= moment <= now:
        raise RestoreFault(
            f"target_time {_shown(moment)}: wanted one between {_shown(first)}, when the oldest backup in repository "
            f"{repository} ended, and now, {_shown(now)}"
        )


def rebuild(cell: CellSql, repository: int, moment: datetime | None) -> Rebuilt:
    """Stop the node, restore the cluster to `moment` (None: to the archive's end), start the node, prove archiving.

    RuntimeFault when it cannot be done: then the volume holds what it held and the node runs again. A run that was
    killed is completed by the next one.
    """
    node, stamp = cell.cell.postgres[0], f"{datetime.now(UTC):%Y%m%dt%H%M%Sz}"
    purpose = {"asp.env": cell.runtime.register.environment.id, "asp.stack": "restore", "asp.rebuild": cell.cell_id}
    target = "--type=default"
    if moment:
        target = f"--type=time --target={shlex.quote(moment.isoformat(sep=' '))} --target-action=promote"
    script = _SCRIPT.format(stanza=cell.cell_id, data=DATA, target=target, stamp=stamp, replayed=REPLAYED)
    client, name = cell.runtime.client, f"{cell.cell.prefix}-rebuild"
    began = time.monotonic()
    try:
        clear(client, purpose)
        image = client.services.get(node).attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        _scale(cell, node, 0)
        try:
            container = client.containers.create(
                image,
                ["bash", "-c", script],
                **CREATION,
                name=name,
                labels=purpose,
                volumes={
                    volume_of(cell, repository): {"bind": SOURCE, "mode": "ro"},
                    node: {"bind": "/data", "mode": "rw"},
                },
            )
            try:
                container.start()
                configure(cell, container, repository)
                wait_for(container, 24 * 3600, lambda: REPLAYED in container.logs(stderr=False).decode().split())
            finally:
                clear(client, purpose)
        finally:
            _scale(cell, node, 1)
        cell.runtime.container(node, wait=START_SECONDS)
        down = time.monotonic() - began
        Repository(cell).prove_archiving()
    except (DockerException, OSError) as error:
        raise RuntimeFault(f"{name}: the container that restores could not be run: {error}") from error
    before = f"pgdata.before_{stamp}"
    return Rebuilt(before if before in kept(cell) else "", round(down, 1))


def kept(cell: CellSql) -> list[str]:
    """Folders of former clusters on the node's volume, oldest first."""
    listed = cell.runtime.check(cell.cell.postgres[0], ["ls", "-1", "/data"]).split()
    return sorted(name for name in listed if KEPT.fullmatch(name))


def forget(cell: CellSql, name: str) -> None:
    """Remove a former cluster for good. RestoreFault when there is none of that name."""
    if name not in (found := kept(cell)):
        raise RestoreFault(f"nothing was touched; {name!r}: wanted a former cluster; there are: {found or 'none'}")
    cell.runtime.check(cell.cell.postgres[0], ["rm", "-rf", f"/data/{name}"], timeout=600)


def _scale(cell: CellSql, service: str, replicas: int) -> None:
    """Set a service's replicas; with none, wait until its container is gone."""
    client = cell.runtime.client
    try:
        client.services.get(service).update(mode=ServiceMode("replicated", replicas=replicas), fetch_current_spec=True)
    except NotFound as error:
        raise Unreachable(f"service {service}: not there; wanted: deployed. Run make up") from error
    label = {"label": f"com.docker.swarm.service.name={service}"}
    deadline = time.monotonic() + STOP_SECONDS
    while not replicas and client.containers.list(filters=label):
        if time.monotonic() > deadline:
            raise RuntimeFault(f"{service}: still runs {STOP_SECONDS} s after it was told to stop")
        time.sleep(0.3)


def _shown(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="seconds")
