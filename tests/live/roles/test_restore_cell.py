"""Playbook restore_cell on a deployed environment: the volume is emptied, and every municipality comes back."""

from __future__ import annotations

import secrets as random

import pytest
from docker.types import ServiceMode

from centre.backup import contents, restore_cell
from centre.backup.backups import Repository
from centre.database import reading
from centre.reach.psql import CellSql
from inventory.vault import vault
from stacks.configs.pgbackrest import PLACES, VAULT
from stacks.configs.postgres import UID
from tests.live.roles.playbooks import run_until_killed
from tests.support.edge_client import EdgeClient
from tests.support.long import of_family
from tests.support.polling import poll

LIVE = "16054"


@pytest.fixture(scope="module")
def cell(register, runtime):
    return CellSql(runtime, register.municipality(LIVE).cell)


@pytest.fixture(scope="module")
def tenant(register):
    return register.municipality(LIVE).tenant


@pytest.fixture(autouse=True)
def nothing_left(cell):
    yield
    for name in restore_cell.former_clusters(cell):
        restore_cell.forget(cell, name)
    label = {"label": f"asp.rebuild={cell.cell_id}"}
    assert cell.runtime.client.containers.list(all=True, filters=label) == []


def write(cell, tenant):
    """One more row that is in the archive; its key."""
    version = random.token_hex(6)
    cell.script(f"INSERT INTO asp_meta.migrations VALUES ('restore-proof', '{version}');", tenant, "postgres")
    Repository(cell).prove_archiving()
    return version


def markers(cell, tenant):
    sql = "SELECT to_json(version) FROM asp_meta.migrations WHERE system = 'restore-proof';"
    return set(cell.rows(sql, database=tenant, role="postgres"))


def set_replicas(cell, count):
    service = cell.runtime.client.services.get(cell.cell.postgres[0])
    service.update(mode=ServiceMode("replicated", replicas=count), fetch_current_spec=True)


def lose_everything(cell):
    """What a lost volume is: the node stops, its volume is empty, and it starts as a new, empty cluster."""
    node, client = cell.cell.postgres[0], cell.runtime.client
    image = cell.runtime.container(node).image.id
    set_replicas(cell, 0)
    label = {"label": f"com.docker.swarm.service.name={node}"}
    poll(lambda: client.containers.list(filters=label), lambda containers: not containers, 60, "the node stops")
    empty = ["find", "/data", "-mindepth", "1", "-delete"]
    client.containers.run(image, empty, user=f"{UID}:{UID}", remove=True, volumes={node: {"bind": "/data"}})
    set_replicas(cell, 1)
    cell.runtime.container(node, wait=120)


@pytest.mark.parametrize("repository", of_family(PLACES, [VAULT]))
def test_a_cell_comes_back_onto_an_emptied_volume(register, cell, tenant, play, repository):
    row = write(cell, tenant)
    databases = set(reading.shared(cell).databases)
    before = contents.read(lambda sql: cell.script(sql, tenant, "postgres"))
    lose_everything(cell)
    assert tenant not in reading.shared(cell).databases
    result = play("restore_cell", cell=cell.cell_id, confirm=cell.cell_id, repository=repository)
    assert (result.code, result.changed) == (0, 1), result.text
    assert set(reading.shared(cell).databases) == databases
    assert row in markers(cell, tenant)
    after = contents.read(lambda sql: cell.script(sql, tenant, "postgres"))
    # Jobs of the running systems write as well, so only what stood still until the loss can be told exactly.
    moved = {change.name for change in contents.differences(before, after, sequences=False)}
    assert len(moved) < len(before) / 4, moved
    client = EdgeClient(register, vault.load(register))
    portal = register.municipality(LIVE).url("portal")
    poll(lambda: client.get(portal).status, lambda status: status == 200, 60, "the public page serves again")
    assert write(cell, tenant) in markers(cell, tenant), "archiving goes on, on the new timeline"
    (old,) = restore_cell.former_clusters(cell)
    removal = play("restore_cell", cell=cell.cell_id, forget=old)
    assert removal.code == 0 and restore_cell.former_clusters(cell) == [], removal.text


@pytest.mark.long
def test_a_killed_restore_of_a_cell_is_completed_by_the_next(cell, tenant, start, play):
    row = write(cell, tenant)
    run_until_killed(start("restore_cell", cell=cell.cell_id, confirm=cell.cell_id), "Restore the cluster")
    result = play("restore_cell", cell=cell.cell_id, confirm=cell.cell_id)
    assert result.code == 0, result.text
    assert row in markers(cell, tenant)
    assert Repository(cell, VAULT).catalogue().last_wal


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "no cell is named. Run it again with -e cell="),
        ({"cell": "baz1"}, "wanted -e confirm=baz1, seen: (none)"),
        ({"cell": "baz1", "confirm": "baz"}, "wanted -e confirm=baz1, seen: baz"),
        ({"cell": "baz9"}, "cell = 'baz9': no such cell"),
        ({"cell": "baz1", "confirm": "baz1", "repository": 3}, "value of repository must be one of: 1, 2"),
        ({"cell": "baz1", "confirm": "baz1", "target_time": "tegnap"}, "wanted a moment, as 2026-11-23 14:00:00"),
        ({"cell": "baz1", "confirm": "baz1", "target_time": "2001-01-01"}, "when the oldest backup in"),
        ({"cell": "baz1", "forget": "pgdata"}, "nothing was touched; 'pgdata': wanted a former cluster"),
    ],
)
def test_what_cannot_be_is_refused_and_the_node_runs_on(cell, play, variables, message):
    before = cell.runtime.container(cell.cell.postgres[0]).id
    result = play("restore_cell", **variables)
    assert result.code != 0 and result.changed == 0, result.text
    assert message in " ".join(result.text.split()), result.text
    assert cell.runtime.container(cell.cell.postgres[0]).id == before


def test_check_mode_stops_nothing(cell, play):
    before = cell.runtime.container(cell.cell.postgres[0]).id
    preview = play("restore_cell", "--check", cell=cell.cell_id)
    assert (preview.code, preview.changed) == (0, 1), preview.text
    assert cell.runtime.container(cell.cell.postgres[0]).id == before
