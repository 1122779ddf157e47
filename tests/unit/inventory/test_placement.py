"""Where services run, over registers of one to five machines: one machine for what has data, two for what has none."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from inventory import placement
from inventory.machines import Machine, MachineRole
from inventory.models import Environment
from inventory.networks import networks
from inventory.placement import Place
from inventory.register import load
from tests.support.placement import fits

REGISTERS = 60  # of each number of machines


def environments(count: int) -> Iterator[Environment]:
    """Registers of so many machines as the rules accept them: any roles, failure domains, cells and leavers."""
    template = load("three").environment
    for seed in range(REGISTERS):
        chance = random.Random(f"{count} {seed}")
        machines = [machine(chance, number) for number in range(1, count + 1)]
        for needed in (MachineRole.MANAGER, MachineRole.DATA, MachineRole.APPS, MachineRole.EDGE):
            number = chance.randrange(count)
            machines[number] = with_role(machines[number], needed)
        machines[0] = with_role(machines[0], MachineRole.DATA)
        holders = [m for m in machines if MachineRole.DATA in m.roles and not m.leaving]
        cells = []
        for number in range(1, chance.randint(1, 3) + 1):
            own = chance.sample(holders, 3 if len(holders) > 2 and chance.random() < 0.5 else 1)
            cell = template.cells[0].model_copy(
                update={
                    "id": f"c{number}",
                    "nodes": 3 if len(own) == 3 else chance.choice((1, 3)),
                    "machines": [m.id for m in own] if count > 1 else [],
                }
            )
            cells.append(cell)
        yield template.model_copy(update={"machines": machines, "cells": cells})


def machine(chance: random.Random, number: int) -> Machine:
    roles = [role for role in MachineRole if chance.random() < 0.6] or [MachineRole.APPS]
    leaving = number > 1 and chance.random() < 0.15
    return Machine(id=f"m{number}", address=f"10.1.0.{number}", roles=roles, domain=f"room-{number}", leaving=leaving)


def with_role(machine: Machine, role: MachineRole) -> Machine:
    return machine.model_copy(update={"roles": sorted({*machine.roles, role}), "leaving": False})


def without_role(machine: Machine, role: MachineRole) -> Machine:
    return machine.model_copy(update={"roles": [other for other in machine.roles if other != role]})


def places(environment: Environment) -> dict[str, Place]:
    """Every kind of place of an environment."""
    answer = {kind.__name__: kind(environment) for kind in (placement.central, placement.apps, placement.edge)}
    for cell in environment.cells:
        answer |= {f"node {cell.id} {index}": placement.node(environment, cell, index) for index in range(cell.nodes)}
        answer |= {f"{kind.__name__} {cell.id}": kind(environment, cell)
                   for kind in (placement.fencer, placement.backup, placement.proxy)}  # fmt: skip
    return answer


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_place_is_exactly_the_machines_that_its_constraints_let_it_run_on(count):
    count_of_places = 0
    for environment in environments(count):
        for name, place in places(environment).items():
            by_constraints = [m.id for m in environment.machines if fits(place.constraints, m.labels)]
            assert by_constraints == [m.id for m in environment.machines if m in place.machines], name
            assert place.machines and (place.constraints or count == 1), name
            assert place.replicas <= len(place.machines) and place.apart == (place.replicas > 1), name
            count_of_places += 1
    assert count_of_places > REGISTERS * 5


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_what_has_data_has_one_machine_that_is_for_data_and_stays(count):
    for environment in environments(count):
        for name, place in places(environment).items():
            if name.startswith(("node", "fencer", "backup", "central")):
                (machine,) = place.machines
                assert MachineRole.DATA in machine.roles and not machine.leaving, name
        for cell in environment.cells:
            every = [placement.node(environment, cell, index).machines[0].id for index in range(cell.nodes)]
            assert set(every) == {m.id for m in environment.machines_of(cell)}, "each of its machines has its share"


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_whichever_machine_is_lost_a_task_of_every_app_server_is_left(count):
    several = 0
    for environment in environments(count):
        place = placement.apps(environment)
        able = environment.staying(MachineRole.APPS)
        assert place.replicas == min(2, len(able)) and list(place.machines) == able
        if len(able) < 2:
            continue
        several += 1
        for lost in environment.machines:
            # At most one task is on a machine, so the lost one had one at most.
            assert place.apart and place.replicas - int(lost in able) >= 1
    assert several > REGISTERS / 4


def test_one_edge_is_on_every_machine_for_it():
    for environment in environments(4):
        place = placement.edge(environment)
        assert list(place.machines) == environment.staying(MachineRole.EDGE) and place.replicas == len(place.machines)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_networks_count_every_task(count):
    for environment in environments(count):
        (apps,) = [n for n in networks(environment, ("irat", "ado"), []) if n.name.name == "asp-three-edge-apps"]
        servers = 2 * len(environment.cells)
        replicas, edges = placement.apps(environment).replicas, placement.edge(environment).replicas
        assert apps.tasks == servers * replicas + edges and len(apps.members) == servers + 1


def test_a_cell_keeps_backups_on_its_machine_for_the_vault_or_away_from_its_first_leader():
    environment = load("three").environment
    cell = environment.cells[0]
    assert [placement.node(environment, cell, n).machines[0].id for n in range(3)] == ["m1", "m2", "m3"]
    assert placement.fencer(environment, cell).machines[0].id == "m1"
    assert placement.backup(environment, cell).machines[0].id == "m3"
    turned = cell.model_copy(update={"machines": ["m3", "m1", "m2"]})
    assert placement.backup(environment, turned).machines[0].id == "m3", "it has the role vault"
    without = environment.model_copy(
        update={"machines": [without_role(m, MachineRole.VAULT) for m in environment.machines]}
    )
    assert placement.backup(without, turned).machines[0].id == "m2"


def test_a_fencer_is_where_it_can_ask_a_manager():
    environment = load("three").environment
    worker = without_role(environment.machines[0], MachineRole.MANAGER)
    changed = environment.model_copy(update={"machines": [worker, *environment.machines[1:]]})
    assert placement.fencer(changed, changed.cells[0]).machines[0].id == "m2"
