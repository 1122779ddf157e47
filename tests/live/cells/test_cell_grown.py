"""A cell of one node that the register gives three: nothing is lost, its municipalities work on, and it fails over."""

from __future__ import annotations

import pytest

from centre.reach.leader import leader
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import load
from tests.live.cells import environment
from tests.live.cells.environment import GROWN, WHOLE, roles
from tests.support.polling import poll

TENANT = "t16054"
ROWS = "SELECT to_json(version) FROM asp_meta.migrations WHERE system = 'growth-proof';"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def larger():
    """The runtime of an environment whose cell had one node, a municipality's row, and has three nodes now."""
    try:
        environment.write(GROWN, nodes=1)
        result = environment.command("up", GROWN)
        assert result.returncode == 0, result.stdout + result.stderr
        one = CellSql(Runtime(load(GROWN)), "baz1")
        one.script("INSERT INTO asp_meta.migrations VALUES ('growth-proof', 'kept');", TENANT, "postgres")
        environment.change({"nodes: 1": "nodes: 3"}, GROWN)
        result = environment.command("up", GROWN)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "PASS" in result.stdout and "FAIL" not in result.stdout, result.stdout
        yield Runtime(load(GROWN))
    finally:
        result = environment.command("clean", GROWN)
        environment.remove(GROWN)
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_row_is_still_there_and_three_nodes_hold_it(larger):
    cell = larger.register.cell("baz1")
    poll(lambda: roles(larger, cell), lambda states: states == WHOLE, 150, "the cell is whole")
    assert CellSql(larger, "baz1").rows(ROWS, database=TENANT, role="postgres") == ["kept"]


def test_it_fails_over_like_any_other(larger):
    cell = larger.register.cell("baz1")
    poll(lambda: roles(larger, cell), lambda states: states == WHOLE, 150, "the cell is whole")
    old = leader(larger, cell)
    larger.container(old).kill()
    # Until the loss is seen the members are listed as they were.
    poll(
        lambda: roles(larger, cell),
        lambda states: states == WHOLE and leader(larger, cell) != old,
        150,
        "another leads",
    )
    assert CellSql(larger, "baz1").rows(ROWS, database=TENANT, role="postgres") == ["kept"]


def test_it_never_shrinks_again(larger):
    cell = larger.register.cell("baz1")
    environment.change({"nodes: 3": "nodes: 1"}, GROWN)
    try:
        result = environment.command("up", GROWN)
    finally:
        environment.change({"nodes: 1": "nodes: 3"}, GROWN)
    assert result.returncode == 2 and "'baz1' was applied with 3" in result.stderr, result.stdout + result.stderr
    poll(lambda: roles(larger, cell), lambda states: states == WHOLE, 150, "the cell is whole")
