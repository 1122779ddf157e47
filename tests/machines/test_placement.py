"""Swarm runs a service exactly where the register's place says, by the labels that the playbook gave its nodes."""

from __future__ import annotations

import pytest

from inventory import placement
from inventory.placement import Place
from tests.support.polling import poll

SECONDS = 60
IMAGE = "tar -C / -c bin sbin lib lib64 usr/bin usr/lib usr/lib64 etc 2>/dev/null | docker import - mini:1"
WAITING = 20  # seconds in which an update that can begin has begun


@pytest.fixture
def create(machines, prepared):
    """Creates a service at a place; all of them are removed afterwards."""
    names = []

    def service(name: str, place: Place, *options: str) -> None:
        for machine in ("m1", "m2", "m3"):
            command = (
                "tar -C / -c bin sbin lib lib64 usr/bin usr/lib usr/lib64 etc 2>/dev/null | docker import - mini:1"
            )
            if not machines.run(machine, "docker", "images", "--quiet", "mini:1").strip():
                machines.run(machine, "sh", "-c", command)
        apart = ["--replicas-max-per-node", "1", "--placement-pref", "spread=node.labels.asp.domain"]
        names.append(name)
        machines.run(
            "m1", "docker", "service", "create", "--quiet", "--detach", "--no-resolve-image", "--name", name,
            "--replicas", str(place.replicas), *(f"--constraint={constraint}" for constraint in place.constraints),
            *(apart if place.apart else []), *options, "mini:1", "sleep", "86400",
        )  # fmt: skip

    yield service
    machines.run("m1", "docker", "service", "rm", *names)


def tasks(machines, service: str) -> list[str]:
    """Machines on which its tasks run now."""
    listing = ["docker", "service", "ps", service, "--filter", "desired-state=running", "--format"]
    lines = machines.run("m1", *listing, "{{.Node}} {{.CurrentState}}").splitlines()
    return sorted(line.split()[0] for line in lines if line.split()[1] == "Running")


def test_every_place_is_where_swarm_runs_it(machines, create):
    environment = machines.register.environment
    cell = environment.cells[0]
    places = {
        **{f"node-{index}": placement.node(environment, cell, index) for index in range(cell.nodes)},
        "fencer": placement.fencer(environment, cell),
        "backup": placement.backup(environment, cell),
        "proxy": placement.proxy(environment, cell),
        "central": placement.central(environment),
        "edge": placement.edge(environment),
        "app": placement.apps(environment),
    }
    for name, place in places.items():
        create(name, place)
    for name, place in places.items():
        count = place.replicas
        where = poll(lambda name=name: tasks(machines, name), lambda t, n=count: len(t) == n, SECONDS, f"{name} runs")
        assert set(where) <= {machine.id for machine in place.machines}, name
        assert len(set(where)) == count, f"{name}: one on a machine"


def test_a_task_that_stays_apart_waits_for_its_machine_and_comes_back(machines, create):
    """Two machines for two tasks: with one away the second waits, and is there again when the machine is."""
    create("edge", placement.edge(machines.register.environment))
    poll(lambda: tasks(machines, "edge"), lambda where: where == ["m1", "m2"], SECONDS, "both run")
    machines.run("m1", "docker", "node", "update", "--availability", "drain", "m2")
    try:
        poll(lambda: tasks(machines, "edge"), lambda where: where == ["m1"], SECONDS, "one is left")
    finally:
        machines.run("m1", "docker", "node", "update", "--availability", "active", "m2")
    poll(lambda: tasks(machines, "edge"), lambda where: where == ["m1", "m2"], SECONDS, "both run again")


@pytest.mark.parametrize(("order", "outcome"), [("stop-first", "completed"), ("start-first", "updating")])
def test_an_update_of_tasks_that_stay_apart_begins_only_if_the_old_one_stops_first(machines, create, order, outcome):
    """Swarm counts the old task against the most that a machine may run (moby#40797)."""
    create("edge", placement.edge(machines.register.environment), "--update-order", order, "--update-monitor", "1s")
    poll(lambda: tasks(machines, "edge"), lambda where: where == ["m1", "m2"], SECONDS, "both run")
    update = ["docker", "service", "update", "--quiet", "--detach", "--no-resolve-image", "--env-add", "A=1", "edge"]
    machines.run("m1", *update)

    def state() -> str:
        return machines.run("m1", "docker", "service", "inspect", "edge", "--format", "{{.UpdateStatus.State}}").strip()

    if outcome == "completed":
        poll(state, lambda value: value == outcome, SECONDS, "the update ends")
        return
    with pytest.raises(AssertionError):
        poll(state, lambda value: value == "completed", WAITING, "the update ends")
    waiting = machines.run("m1", "docker", "service", "ps", "edge", "--no-trunc", "--format", "{{.Error}}")
    assert "max replicas per node limit exceed" in waiting
