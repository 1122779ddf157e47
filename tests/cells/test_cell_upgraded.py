"""A cell of three gets another image, node by node under writers: nothing is lost, and writes are away for moments."""

from __future__ import annotations

import io
import time

import pytest

from stacks import images
from stacks.images.recipe import given
from tests.bench.database_cell import BenchCell
from tests.cells.environment import WHOLE, databases_up, roles
from tests.support.polling import poll

MOST_SECONDS = {"postgres": 15, "etcd": 5}  # without an acknowledged row


@pytest.fixture(params=sorted(MOST_SECONDS))
def image(request, three):
    """Name of an image, and another one that differs from it by a label alone."""
    name = request.param
    dockerfile = io.BytesIO(f"FROM {images.reference(name)}\nLABEL asp.proof={time.time_ns()}\n".encode())
    other, _ = three.client.images.build(fileobj=dockerfile, tag=f"asp/{name}:proof", rm=True)
    yield name, other
    three.client.images.remove(f"asp/{name}:proof", force=True)


def test_another_image_rolls_through_the_cell(three, cell, image, monkeypatch):
    name, other = image
    services = {"postgres": cell.postgres, "etcd": [*cell.etcd, *cell.fencer]}[name]
    with BenchCell.ready(three.register, "baz1", f"upgrade-{name}") as bench:
        try:
            for variable in ({given(name): f"asp/{name}:proof"}, {}):  # there, and back again
                with monkeypatch.context() as changed:
                    for key, value in variable.items():
                        changed.setenv(key, value)
                    began = time.monotonic()
                    assert "updated" in databases_up()
                run = {three.container(service).image.id == other.id for service in services}
                assert run == {bool(variable)}, "every service runs what it was given"
                poll(lambda: roles(three, cell), lambda seen: seen == WHOLE, 150, "the cell is whole")
                bench.writes_again(time.monotonic())
                gap = bench.gap(began)
                print(f"{name}: writes gone for {gap:.2f} s")
                assert gap < MOST_SECONDS[name]
        finally:
            databases_up()
        assert not bench.lost() and not bench.overlaps()
