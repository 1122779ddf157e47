"""An environment whose only cell has three nodes, for the tests of this folder."""

from __future__ import annotations

import pytest

from centre.reach.runtime import Runtime
from inventory.register import load
from tests.live.cells import environment
from tests.live.cells.environment import ENV, KEPT, WHOLE, roles
from tests.support.polling import poll


@pytest.fixture(scope="session")
def three():
    """The runtime of the environment, of which nothing but the cell need run."""
    if KEPT:
        yield Runtime(load(ENV))
        return
    try:
        environment.write()
        environment.cell_up()
        yield Runtime(load(ENV))
    finally:
        result = environment.command("clean")
        environment.remove()
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def moved_in(three):
    """The same, whole: its municipalities moved in and every readiness check passed."""
    result = environment.command("up")
    assert result.returncode == 0, result.stdout + result.stderr
    return three


@pytest.fixture
def cell(three):
    """Names of the cell, once it is whole."""
    names = three.register.cell("baz1")
    poll(lambda: roles(three, names), lambda states: states == WHOLE, 150, "the cell is whole")
    return names
