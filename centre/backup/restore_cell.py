"""A whole cell out of one of its repositories, onto volumes that are empty or hold what is to be replaced.

The cluster is restored and replayed in a container of its own, beside what the first node's volume holds; only when it
has opened is it given the cluster's name. What was there stays on each volume as `pgdata.before_<stamp>` until it is
forgotten. Of three nodes the first gets the restored cluster, etcd forgets who led, and the others clone it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from docker.errors import DockerException, NotFound
from docker.types import ServiceMode

from centre import moments
from centre.backup.backups import Repository
from centre.backup.restore import RestoreFault
from centre.backup.scratch import CREATION, PROGRAM, SOURCE, clear, configure, volume_of, wait_for
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault, Unreachable
from stacks.configs.patroni import scope

KEPT = re.compile(r"pgdata\.before_\d{8}t\d{6}z")
STOP_SECONDS, START_SECONDS, CLONE_SECONDS = 90, 300, 4 * 3600


@dataclass(frozen=True)
class Rebuilt:
    """A cell that runs again. `former_folder`: that of the former cluster on the volume, empty when there was none."""

    former_folder: str
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
            f"target_time {moments.describe(moment)}: wanted one between {moments.describe(first)}, when the oldest "
            f"backup in repository {repository} ended, and now, {moments.describe(now)}"
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
    request = json.dumps(
        {
            "stanza": cell.cell_id,
            "size": Repository(cell, repository).catalogue().backups[-1]["info"]["size"],
            "stamp": stamp,
            "until": moment.isoformat(sep=" ") if moment else None,
        }
    )
    client = cell.runtime.machines.holding(volume_of(cell, repository), *names.postgres)
    name = f"{names.prefix}-rebuild"
    volumes = {
        volume_of(cell, repository): {"bind": SOURCE, "mode": "ro"},
        **{node: {"bind": f"/peers/{node}", "mode": "rw"} for node in others},
        first: {"bind": "/data", "mode": "rw"},
    }
    began = time.monotonic()
    try:
        clear(client, purpose)
        image = cell.runtime.client.services.get(first).attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        try:
            _scale(cell, [*names.fencer, *names.postgres], 0)  # the fencer first: it must not see a leader die
            container = client.containers.create(
                image, [PROGRAM, "cluster", request], **CREATION, name=name, labels=purpose, volumes=volumes
            )
            try:
                container.start()
                configure(cell, container, repository)
                wait_for(container, 24 * 3600, "replayed")
            finally:
                clear(client, purpose)
            if names.etcd:
                cell.runtime.check(names.etcd[0], ["asp-failover", "forget", scope(cell.cell_id)])
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
    return Rebuilt(before if before in former_clusters(cell) else "", round(down, 1))


def former_clusters(cell: CellSql) -> list[str]:
    """Folders of former clusters on the nodes' volumes, oldest first."""
    listings = [cell.runtime.check(node, ["ls", "-1", "/data"]).split() for node in cell.cell.postgres]
    return sorted({name for names in listings for name in names if KEPT.fullmatch(name)})


def forget(cell: CellSql, name: str, check: bool = False) -> None:
    """Remove a former cluster for good, on each node; RestoreFault, also in check mode, when there is none such."""
    if name not in (clusters := former_clusters(cell)):
        raise RestoreFault(f"nothing was touched; {name!r}: wanted a former cluster; there are: {clusters or 'none'}")
    for node in cell.cell.postgres if not check else ():
        cell.runtime.check(node, ["rm", "-rf", f"/data/{name}"], timeout=600)


def _scale(cell: CellSql, services: Sequence[str], replicas: int) -> None:
    """Set the replicas of services; with none, wait until their containers are gone."""
    client = cell.runtime.client
    for service in services:
        try:
            target = client.services.get(service)
        except NotFound as error:
            raise Unreachable(f"service {service}: not there; wanted: deployed. Run make up") from error
        target.update(mode=ServiceMode("replicated", replicas=replicas), fetch_current_spec=True)
    deadline = time.monotonic() + STOP_SECONDS
    for service in services:
        label = f"com.docker.swarm.service.name={service}"
        while not replicas and any(
            daemon.containers.list(filters={"label": label}) for daemon in cell.runtime.daemons()
        ):
            if time.monotonic() > deadline:
                raise RuntimeFault(f"{service}: still runs {STOP_SECONDS} s after it was told to stop")
            time.sleep(0.3)
