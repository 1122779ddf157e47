"""What the fencer may rely on of the machine's engine, real (asp_failover.engine) or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tests.support.polling import poll

SECONDS = 20.0


class World(Protocol):
    """A machine with one network, a node of a cell on it, and a service of one task."""

    engine: Any
    node: str  # whose containers `start` makes
    service: str  # has one task
    network: str  # id

    def start(self) -> str:
        """Id of a new container of the node, which runs on the network."""

    def freeze(self, container: str) -> None: ...
    def stop_processes(self, container: str) -> None: ...
    def finish(self, container: str) -> None:
        """Its process ends by itself."""

    def remove(self, container: str) -> None: ...


def state_of(world: World, container: str) -> dict[str, Any]:
    """The state that inspecting shows."""
    return world.engine.inspect(container)["State"]


def states(world: World) -> dict[str, str]:
    return {item["Id"]: item["State"] for item in world.engine.containers(world.node)}


def comes(what: Callable[[], object]) -> None:
    """It is true soon: an engine takes its time."""
    poll(what, bool, SECONDS, "the engine shows it", pause=0.05)


class EngineContract:
    def test_a_running_container_is_listed_shown_and_reached(self, world):
        container = world.start()
        [entry] = world.engine.containers(world.node)
        assert (entry["Id"], entry["State"]) == (container, "running")
        assert isinstance(entry["Labels"], dict)
        assert [item["NetworkID"] for item in entry["NetworkSettings"]["Networks"].values()] == [world.network]
        state = state_of(world, container)
        assert (state["Status"], state["Running"], state["Paused"], state["Restarting"]) == (
            "running",
            True,
            False,
            False,
        )
        assert state["Pid"] > 0
        assert container in world.engine.endpoints(world.network)
        assert world.engine.halted(container) is None

    def test_a_frozen_container_has_a_process_and_its_network(self, world):
        container = world.start()
        world.freeze(container)
        assert states(world) == {container: "paused"}
        state = state_of(world, container)
        assert (state["Status"], state["Running"], state["Paused"]) == ("paused", True, True)
        assert state["Pid"] > 0
        assert container in world.engine.endpoints(world.network)

    def test_a_killed_container_is_shown_as_ended_and_stays_listed(self, world):
        container = world.start()
        world.engine.kill(container)
        comes(lambda: not state_of(world, container)["Running"])
        state = state_of(world, container)
        assert (state["Status"], state["Paused"], state["Restarting"], state["Pid"]) == ("exited", False, False, 0)
        assert state["ExitCode"] == 137 and state["FinishedAt"]
        assert states(world) == {container: "exited"}
        comes(lambda: container not in world.engine.endpoints(world.network))

    def test_a_kill_ends_what_is_frozen(self, world):
        container = world.start()
        world.freeze(container)
        world.engine.kill(container)
        comes(lambda: not state_of(world, container)["Running"])
        assert not state_of(world, container)["Paused"] and state_of(world, container)["Pid"] == 0

    def test_a_container_that_ends_by_itself_keeps_its_own_status(self, world):
        container = world.start()
        world.finish(container)
        comes(lambda: states(world) == {container: "exited"})
        assert state_of(world, container)["ExitCode"] == 0

    def test_killing_what_has_ended_or_is_gone_is_nothing(self, world):
        container = world.start()
        world.finish(container)
        comes(lambda: states(world) == {container: "exited"})
        world.engine.kill(container)
        assert state_of(world, container)["ExitCode"] == 0
        world.remove(container)
        world.engine.kill(container)

    def test_a_cut_container_runs_without_a_network(self, world):
        container = world.start()
        world.engine.cut(container, world.network)
        assert container not in world.engine.endpoints(world.network)
        assert state_of(world, container)["Running"]
        assert world.engine.halted(container) == "it has no network"
        [entry] = world.engine.containers(world.node)
        assert not entry["NetworkSettings"]["Networks"]

    def test_cutting_twice_or_what_has_ended_is_nothing(self, world):
        container = world.start()
        world.engine.cut(container, world.network)
        world.engine.cut(container, world.network)
        other = world.start()
        world.engine.kill(other)
        comes(lambda: not state_of(world, other)["Running"])
        world.engine.cut(other, world.network)
        assert other not in world.engine.endpoints(world.network)

    def test_a_removed_container_is_unknown(self, world):
        container = world.start()
        world.remove(container)
        assert world.engine.inspect(container) is None
        assert states(world) == {}
        assert container not in world.engine.endpoints(world.network)
        assert world.engine.halted(container) == "it has no network"

    def test_stopped_processes_are_shown(self, world):
        container = world.start()
        world.stop_processes(container)
        comes(lambda: world.engine.halted(container) == "its processes are stopped")
        assert state_of(world, container)["Running"] and states(world) == {container: "running"}

    def test_a_node_may_have_several_containers_each_in_its_own_state(self, world):
        ended, frozen, running = world.start(), world.start(), world.start()
        world.engine.kill(ended)
        world.freeze(frozen)
        comes(lambda: states(world) == {ended: "exited", frozen: "paused", running: "running"})
        comes(lambda: world.engine.endpoints(world.network) == {frozen, running})

    def test_another_node_has_none_of_them(self, world):
        world.start()
        assert world.engine.containers(f"{world.node}-other") == []

    def test_a_service_has_as_many_tasks_as_it_is_scaled_to(self, world):
        comes(lambda: len(world.engine.tasks(world.service)) == 1)
        comes(lambda: world.engine.tasks(world.service)[0].get("NodeID") == world.engine.node())
        assert world.engine.scale(world.service, 0) == 1
        comes(lambda: world.engine.tasks(world.service) == [])
        assert world.engine.service(world.service)["Spec"]["Mode"]["Replicated"].get("Replicas", 0) == 0
        assert world.engine.scale(world.service, 0) == 0
        assert world.engine.scale(world.service, 1) == 0
        comes(lambda: len(world.engine.tasks(world.service)) == 1)
