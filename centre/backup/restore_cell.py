"""A whole cell out of one of its repositories, onto volumes that are empty or hold what is to be replaced.

The cluster is restored and replayed in a container of its own, beside what the first node's volume holds; only when it
has opened is it given the cluster's name. What was there stays on each volume as `pgdata.before_<stamp>` until it is
forgotten. Of three nodes the first gets the restored cluster, etcd forgets who led, and the others clone it.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from docker.errors import DockerException, NotFound
from docker.types import ServiceMode

from centre import moments
from centre.backup.backups import Repository
from centre.backup.restore import RestoreFault
from centre.backup.scratch import CREATION, SOURCE, clear, configure, volume_of, wait_for
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault, Unreachable
from inventory.names import Port
from stacks.configs.patroni import scope
from stacks.configs.postgres import DATA

REPLAYED = "asp-replayed"
KEPT = re.compile(r"pgdata\.before_\d{8}t\d{6}z")
STOP_SECONDS, START_SECONDS, CLONE_SECONDS = 90, 300, 4 * 3600
# Run in a member of etcd: nobody led, nobody acknowledged, no cluster was ever made under this name.
FORGET = """\
import json
from asp_failover.etcd import Etcd, _end, encode
users = json.load(open('/run/secrets/etcd.json'))['users']
etcd = Etcd(['localhost:{port}'], '/etc/asp/ca.crt', 'patroni', users['patroni']['password'])
etcd.call('/v3/kv/deleterange', {{'key': encode('{scope}'), 'range_end': encode(_end('{scope}'))}})
"""

# Recovery ends here and not in the node, whose health check would end a long one. The archiver is on and always
# refused, so that the new timeline's history waits in the cluster for the node, which archives it.
_SCRIPT = """\
set -euo pipefail
exec 9>/data/lock
flock --wait 60 9 || {{ echo "the data folder is still in use by the node" >&2; exit 1; }}
until [ -s /tmp/pgbackrest.conf ]; do sleep 0.05; done  # it may hold a key, so it comes by standard input
new={data}.new
rm -rf "$new"
free=$(df --output=avail -B1 /data | tail -1)
[ "$free" -gt {size} ] || {{ echo "the volume has $free bytes free, wanted more than {size}" >&2; exit 1; }}
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
for volume in /data /peers/*; do
  [ ! -e $volume/pgdata ] || mv -T $volume/pgdata $volume/pgdata.before_{stamp}
done
mv -T "$new" {data}
sync
echo {replayed}
sleep infinity
"""


@dataclass(frozen=True)
class Rebuilt:
    """A cell that runs again. `kept`: folder of the former cluster on the volume, empty when there was none."""

    kept: str
    down_seconds: float


def may_rebuild(cell: CellSql, repository: int, moment: datetime | None) -> None:
    """RestoreFault unless the repository reaches back to `moment` (None: its newest); Unreachable without an etcd."""
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
    for member in cell.cell.etcd:
        cell.runtime.container(member)


def rebuild(cell: CellSql, repository: int, moment: datetime | None) -> Rebuilt:
    """Stop the nodes, restore the cluster to `moment` (None: to the archive's end), start them, prove archiving.

    RuntimeFault when it cannot be done: then the volumes hold what they held and the nodes run again. A run that was
    killed is completed by the next one.
    """
    names = cell.cell
    first, *others = names.postgres
    stamp = f"{datetime.now(UTC):%Y%m%dt%H%M%Sz}"
    purpose = {"asp.env": cell.runtime.register.environment.id, "asp.stack": "restore", "asp.rebuild": cell.cell_id}
    target = "--type=default"
    if moment:
        target = f"--type=time --target={shlex.quote(moment.isoformat(sep=' '))} --target-action=promote"
    size = Repository(cell, repository).catalogue().backups[-1]["info"]["size"]
    script = _SCRIPT.format(stanza=cell.cell_id, data=DATA, target=target, stamp=stamp, replayed=REPLAYED, size=size)
    client, name = cell.runtime.client, f"{names.prefix}-rebuild"
    volumes = {
        volume_of(cell, repository): {"bind": SOURCE, "mode": "ro"},
        **{node: {"bind": f"/peers/{node}", "mode": "rw"} for node in others},
        first: {"bind": "/data", "mode": "rw"},
    }
    began = time.monotonic()
    try:
        clear(client, purpose)
        image = client.services.get(first).attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        _scale(cell, [*names.fencer, *names.postgres], 0)  # the fencer first: it must not see a leader die
        try:
            container = client.containers.create(
                image, ["bash", "-c", script], **CREATION, name=name, labels=purpose, volumes=volumes
            )
            try:
                container.start()
                configure(cell, container, repository)
                wait_for(container, 24 * 3600, lambda: REPLAYED in container.logs(stderr=False).decode().split())
            finally:
                clear(client, purpose)
            if names.etcd:
                forget_leader = FORGET.format(port=Port.ETCD.value, scope=scope(cell.cell_id))
                cell.runtime.check(names.etcd[0], ["python3", "-c", forget_leader])
        finally:
            _scale(cell, [*names.postgres, *names.fencer], 1)
        cell.runtime.container(first, wait=START_SECONDS)
        for node in others:
            cell.runtime.container(node, wait=CLONE_SECONDS)
        down = time.monotonic() - began
        Repository(CellSql(cell.runtime, cell.cell_id)).prove_archiving()
    except (DockerException, OSError) as error:
        raise RuntimeFault(f"{name}: the container that restores could not be run: {error}") from error
    before = f"pgdata.before_{stamp}"
    return Rebuilt(before if before in kept(cell) else "", round(down, 1))


def kept(cell: CellSql) -> list[str]:
    """Folders of former clusters on the nodes' volumes, oldest first."""
    listed = [cell.runtime.check(node, ["ls", "-1", "/data"]).split() for node in cell.cell.postgres]
    return sorted({name for names in listed for name in names if KEPT.fullmatch(name)})


def forget(cell: CellSql, name: str, check: bool = False) -> None:
    """Remove a former cluster for good, on each node; RestoreFault, also in check mode, when there is none such."""
    if name not in (found := kept(cell)):
        raise RestoreFault(f"nothing was touched; {name!r}: wanted a former cluster; there are: {found or 'none'}")
    for node in cell.cell.postgres if not check else ():
        cell.runtime.check(node, ["rm", "-rf", f"/data/{name}"], timeout=600)


def _scale(cell: CellSql, services: Sequence[str], replicas: int) -> None:
    """Set the replicas of services; with none, wait until their containers are gone."""
    client = cell.runtime.client
    for service in services:
        try:
            found = client.services.get(service)
        except NotFound as error:
            raise Unreachable(f"service {service}: not there; wanted: deployed. Run make up") from error
        found.update(mode=ServiceMode("replicated", replicas=replicas), fetch_current_spec=True)
    deadline = time.monotonic() + STOP_SECONDS
    for service in services:
        label = {"label": f"com.docker.swarm.service.name={service}"}
        while not replicas and client.containers.list(filters=label):
            if time.monotonic() > deadline:
                raise RuntimeFault(f"{service}: still runs {STOP_SECONDS} s after it was told to stop")
            time.sleep(0.3)


def _shown(moment: datetime) -> str:
    return moments.shown(moment)
