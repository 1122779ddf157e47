"""The engine of the fencer's tests does what a daemon does: tests/engine/test_fencer_engine.py is the other side."""

import itertools

import pytest

from tests.contracts.fencer_engine import EngineContract
from tests.unit.stacks.images.asp_failover.machine import NETWORK, Machine


class World:
    """A machine with a node that has no container yet."""

    node, network = "node", NETWORK

    def __init__(self):
        self.engine, self.service, self._numbers = Machine("service"), "service", itertools.count(1)
        self.engine.remove("c-service")

    def start(self):
        self.engine.add(self.node, container := f"c{next(self._numbers)}")
        return container

    def freeze(self, container):
        self.engine.state[container] = "paused"

    def stop_processes(self, container):
        self.engine.halts.add(container)

    def finish(self, container):
        self.engine.finish(container)

    def remove(self, container):
        self.engine.remove(container)


@pytest.fixture
def world():
    return World()


class TestMachine(EngineContract):
    def test_an_end_that_comes_late_is_shown_late(self, world):
        world.engine.late = 2
        container = world.start()
        world.engine.kill(container)
        assert [world.engine.inspect(container)["State"]["Running"] for _ in range(4)] == [True, True, False, False]
