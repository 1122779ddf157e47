"""A cell of three gets other settings and other images, node by node under writers: nothing is lost."""

from __future__ import annotations

import io
import time

import pytest

from centre.reach.leader import members
from inventory.register import load
from stacks.configs.postgres import RESERVED_CONNECTIONS
from stacks.images.build import recipe
from stacks.images.build.recipe import override_variable
from tests.bench.database_cell import BenchCell
from tests.live.cells.environment import ENV, WHOLE, change, databases_up, roles
from tests.support.polling import poll

pytestmark = pytest.mark.long  # seven minutes: each change goes from node to node, and back
MOST_SECONDS = {"postgres": 15, "etcd": 5}  # without an acknowledged row, on a busy machine


def connections(runtime, names):
    """`max_connections` of every node as it runs, and the nodes that wait for a restart."""
    show = ["psql", "-XAtqU", "postgres", "-c", "SHOW max_connections"]
    waiting = [member["name"] for member in members(runtime, names) if member.get("pending_restart")]
    return [runtime.run(node, show).out.strip() for node in names.postgres], waiting


def test_a_setting_is_raised_and_lowered_again(three, cell):
    with BenchCell.ready(three.register, "baz1", "setting") as bench:
        for capacity in (80, 64):
            began = time.monotonic()
            change({r"capacity: \d+": f"capacity: {capacity}"})
            assert "updated" in databases_up()
            environment = load(ENV).environment
            limit = str(environment.server_connections(environment.cells[0]) + RESERVED_CONNECTIONS)
            goal = ([limit] * 3, [])
            poll(lambda: connections(three, cell), lambda state, goal=goal: state == goal, 120, f"{limit} connections")
            poll(lambda: roles(three, cell), lambda states: states == WHOLE, 150, "the cell is whole")
            bench.writes_again(time.monotonic())
            print(f"{limit} connections: writes gone for {bench.gap(began):.2f} s")
            assert bench.gap(began) < MOST_SECONDS["postgres"]
        assert not bench.lost_rows() and not bench.overlaps()


@pytest.fixture(params=sorted(MOST_SECONDS))
def image(request, three):
    """Name of an image, and another one that differs from it by a label alone."""
    name = request.param
    dockerfile = io.BytesIO(f"FROM {recipe.reference(name)}\nLABEL asp.proof={time.time_ns()}\n".encode())
    other, _ = three.client.images.build(fileobj=dockerfile, tag=f"{recipe.REGISTRY}/{name}:proof", rm=True)
    yield name, other
    three.client.images.remove(f"{recipe.REGISTRY}/{name}:proof", force=True)


def test_another_image_rolls_through_the_cell_and_back(three, cell, image, monkeypatch):
    name, other = image
    services = {"postgres": cell.postgres, "etcd": [*cell.etcd, *cell.fencer]}[name]
    with BenchCell.ready(three.register, "baz1", f"upgrade-{name}") as bench:
        try:
            for forward in (True, False):
                with monkeypatch.context() as changed:
                    if forward:
                        changed.setenv(override_variable(name), f"{recipe.REGISTRY}/{name}:proof")
                    began = time.monotonic()
                    assert "updated" in databases_up()
                run = {three.container(service).image.id == other.id for service in services}
                assert run == {forward}, "every service runs what it was given"
                poll(lambda: roles(three, cell), lambda states: states == WHOLE, 150, "the cell is whole")
                bench.writes_again(time.monotonic())
                print(f"{name}: writes gone for {bench.gap(began):.2f} s")
                assert bench.gap(began) < MOST_SECONDS[name]
        finally:
            databases_up()
        assert not bench.lost_rows() and not bench.overlaps()
