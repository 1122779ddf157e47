"""A cell of three that lost every volume of its nodes comes back out of its backups, whole, and fails over again."""

from __future__ import annotations

import secrets as random
import time
from datetime import UTC, datetime

import pytest
from docker.types import ServiceMode

from centre.backup import restore_cell
from centre.backup.backups import Repository
from centre.reach.leader import leader
from centre.reach.psql import CellSql
from stacks.configs.pgbackrest import DAILY, VAULT
from stacks.configs.postgres import UID
from tests.live.cells.environment import ENV, WHOLE, roles
from tests.live.roles.playbooks import Playbooks
from tests.support.polling import poll

TENANT = "t16054"
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("moved_in")]


@pytest.fixture(scope="module")
def play():
    return Playbooks(ENV).play


def write(sql):
    """One more row that is in the archive; its key."""
    version = random.token_hex(6)
    sql.script(f"INSERT INTO asp_meta.migrations VALUES ('restore-proof', '{version}');", TENANT, "postgres")
    Repository(sql).prove_archiving()
    return version


def rows_of_migrations(sql):
    rows = "SELECT to_json(version) FROM asp_meta.migrations WHERE system = 'restore-proof';"
    return set(sql.rows(rows, database=TENANT, role="postgres"))


def lose_everything(three, cell):
    """Every node stops, its volume is empty, and it starts again: nobody has anything, and etcd still knows of it."""
    client = three.client
    image = three.container(cell.postgres[0]).image.id

    def scale(services, count):
        for name in services:
            mode = ServiceMode("replicated", replicas=count)
            client.services.get(name).update(mode=mode, fetch_current_spec=True)
            label = {"label": f"com.docker.swarm.service.name={name}"}
            poll(lambda filters=label: len(client.containers.list(filters=filters)), lambda n: n == count, 90, name)

    scale([*cell.fencer, *cell.postgres], 0)
    for node in cell.postgres:
        empty = ["find", "/data", "-mindepth", "1", "-delete"]
        client.containers.run(image, empty, user=f"{UID}:{UID}", remove=True, volumes={node: {"bind": "/data"}})
    scale([*cell.postgres, *cell.fencer], 1)


@pytest.mark.parametrize("repository", [DAILY, VAULT])
def test_a_cell_comes_back_onto_emptied_volumes(three, cell, play, repository):
    row = write(CellSql(three, "baz1"))
    lose_everything(three, cell)
    result = play("restore_cell", cell="baz1", confirm="baz1", repository=repository)
    assert (result.code, result.changed) == (0, 1), result.text
    poll(lambda: roles(three, cell), lambda states: states == WHOLE, 150, "the cell is whole")
    sql = CellSql(three, "baz1")
    assert row in rows_of_migrations(sql)
    assert write(sql) in rows_of_migrations(sql), "it takes writes and archives on"


def test_a_cell_goes_back_to_a_moment_and_fails_over_afterwards(three, cell, play):
    sql = CellSql(three, "baz1")
    before = write(sql)
    time.sleep(2)
    moment = datetime.now(UTC)
    time.sleep(2)
    after = write(sql)
    result = play("restore_cell", cell="baz1", confirm="baz1", target_time=moment.isoformat())
    assert result.code == 0, result.text
    poll(lambda: roles(three, cell), lambda states: states == WHOLE, 150, "the cell is whole")
    rows = rows_of_migrations(CellSql(three, "baz1"))
    assert before in rows and after not in rows
    old = leader(three, cell)
    three.container(old).kill()
    poll(
        lambda: roles(three, cell), lambda states: states == WHOLE and leader(three, cell) != old, 150, "another leads"
    )
    sql = CellSql(three, "baz1")
    assert write(sql) in rows_of_migrations(sql)
    for name in restore_cell.former_clusters(sql):
        restore_cell.forget(sql, name)
    assert restore_cell.former_clusters(sql) == []
