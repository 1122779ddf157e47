"""The address plan: no two networks overlap, none ever moves, and the country fits with room for three of each task."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import addresses, register
from inventory.models import Cell
from inventory.names import Names
from inventory.networks import networks
from tests.unit.inventory.country import CELLS
from tests.unit.inventory.register_copy import Copy

ENVIRONMENT = "environments/dev/environment.yaml"
SUBNETS = st.integers(1, 255).map(lambda n: f"10.{n}.0.0/16")


def plan(subnet: str, cells: int) -> list[ipaddress.IPv4Network]:
    """Every network of an environment with so many cells."""
    names = Names("dev", subnet)
    every = [names.network(label) for label in addresses.SHARED]
    for index in range(cells):
        cell = names.cell(f"c{index}", index, 3, ())
        every += [cell.apps_network, cell.data_network]
    assert len({network.name for network in every}) == len(every)
    blocks = [ipaddress.IPv4Network(network.subnet) for network in every]
    assert all(network.gateway == str(block[1]) for network, block in zip(every, blocks, strict=True))
    return blocks


@given(SUBNETS, st.integers(0, addresses.CELLS))
def test_networks_lie_in_the_environment_and_never_overlap(subnet, cells):
    blocks = sorted(plan(subnet, cells))
    assert len(blocks) == len(addresses.SHARED) + 2 * cells
    assert all(block.subnet_of(ipaddress.IPv4Network(subnet)) for block in blocks)
    assert all(lower[-1] < upper[0] for lower, upper in zip(blocks, blocks[1:], strict=False))


@given(SUBNETS, st.integers(0, addresses.CELLS - 1))
def test_no_network_moves_when_a_cell_is_added(subnet, cells):
    assert plan(subnet, cells) == plan(subnet, cells + 1)[:-2]


@given(SUBNETS, SUBNETS)
def test_environments_on_one_machine_share_no_address(one, other):
    if one != other:
        assert not any(a.overlaps(b) for a in plan(one, 3) for b in plan(other, 3))


def test_the_plan_is_the_one_of_the_first_release():
    """What runs has these: a plan that gives another answer replaces networks under running services."""
    names = Names("dev", "10.61.0.0/16")
    subnets = {label: names.network(label).subnet for label in addresses.SHARED}
    assert subnets == {
        "edge-identity": "10.61.2.0/24",
        "outside": "10.61.3.0/24",
        "identity-db": "10.61.4.0/24",
        "pki": "10.61.5.0/24",
        "engine": "10.61.6.0/23",
        "edge-apps": "10.61.16.0/20",
        "apps-identity": "10.61.32.0/20",
        "workstations": "10.61.48.0/20",
    }
    first, last = (names.cell("c", index, 1, ()) for index in (0, addresses.CELLS - 1))
    assert (first.apps_network.subnet, first.data_network.subnet) == ("10.61.96.0/24", "10.61.97.0/25")
    assert (last.apps_network.subnet, last.data_network.subnet) == ("10.61.254.0/24", "10.61.255.0/25")


def test_the_whole_country_fits_with_three_addresses_for_each_task(country):
    land = country
    assert len(land.environment.cells) == CELLS == 23 and len(land.municipalities) == 3169
    by_name = {network.name.name: network for network in land.networks}
    apps = by_name["asp-land-edge-apps"]
    assert len(apps.members) == 23 * 13 + 1 and apps.needed == 900 <= apps.place.addresses
    assert all(network.needed <= network.place.addresses for network in land.networks)


def test_three_times_the_countrys_tasks_fit(country):
    """Three replicas of each service, or three countries; each task again with three addresses."""
    land = country
    for network in land.networks:
        assert 3 * network.needed <= network.place.addresses, network.name
    assert 3 * CELLS <= addresses.CELLS
    cells = [
        Cell(id=f"c{number}", county="Zala", capacity=256, nodes=3)
        for number in range(3 * CELLS)
    ]  # fmt: skip
    thrice = land.environment.model_copy(update={"cells": cells})
    stations = [f"ws-{number}" for number in range(499)]
    assert all(n.needed <= n.place.addresses for n in networks(thrice, land.installed_systems, stations))


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def more_cells(copy: Copy, count: int) -> None:
    cells = "".join(f"  - {{id: c{n}, county: Zala, capacity: 9, nodes: 1}}\n" for n in range(count))
    copy.edit(ENVIRONMENT, "backup:\n", f"{cells}backup:\n")


def more_systems(copy: Copy, letters: str) -> None:
    entry = "- {{id: {}, kind: support, public: false, installed: true, name: N, summary: S, roles: {{}}}}\n"
    file = copy.root / "catalogue" / "systems.yaml"
    file.write_text(file.read_text() + "".join(entry.format(f"further{letter}") for letter in letters))


def test_a_register_whose_tasks_do_not_fit_is_refused_by_network(copy):
    more_systems(copy, "abcde")
    more_cells(copy, 73)
    assert copy.load().networks  # 74 cells of 18 systems: 3,999 addresses
    more_systems(copy, "f")
    edge, identity = sorted(copy.faults(), reverse=True)
    assert f"{ENVIRONMENT}: cells = 74: network asp-dev-edge-apps has 4061 addresses for tasks" in edge
    assert "in 10.61.16.0/20, and its 1407 tasks need 4221 (3 each" in edge
    assert "Move cells (or workstations, where it is theirs) to another environment" in edge
    assert "network asp-dev-apps-identity has 4061" in identity


@pytest.mark.parametrize(("cells", "refused"), [(74, 0), (75, 2)])
def test_no_task_too_many_is_accepted(copy, cells, refused):
    """4,061 addresses are there: 1,351 tasks need 4,053 of them, those of a cell more 4,107."""
    more_systems(copy, "abcde")
    more_cells(copy, cells)
    if not refused:
        assert len(copy.load().environment.cells) == cells + 1
    else:
        faults = copy.faults()
        assert len(faults) == refused and all("has 4061 addresses for tasks" in fault for fault in faults)


def test_more_cells_than_the_plan_has_places_are_refused(copy):
    more_cells(copy, addresses.CELLS - 1)
    assert len(copy.load().environment.cells) == addresses.CELLS
    copy.edit(ENVIRONMENT, "backup:\n", "  - {id: last, county: Zala, capacity: 9, nodes: 1}\nbackup:\n")
    (fault,) = copy.faults()
    assert "cells = 81: the address plan has networks for 80 cells. Move cells to another environment" in fault


@pytest.mark.parametrize("subnet", ["10.0.0.0/16", "172.17.0.0/16", "172.31.0.0/16", "192.168.0.0/16"])
def test_what_docker_takes_by_itself_is_refused(copy, subnet):
    copy.edit(ENVIRONMENT, "10.61.0.0/16", subnet)
    (fault,) = copy.faults()
    assert f"subnet = '{subnet}': overlaps" in fault and "which Docker takes by itself" in fault
    assert "Write a /16 between 10.1.0.0 and 10.255.0.0" in fault


@pytest.mark.parametrize("subnet", ["10.1.0.0/16", "172.16.0.0/16", "10.255.0.0/16"])
def test_what_docker_leaves_is_accepted(copy, subnet):
    copy.edit(ENVIRONMENT, "10.61.0.0/16", subnet)
    assert copy.load().environment.subnet == subnet


def test_both_environments_of_the_project_keep_apart():
    subnets = [register.load(env).environment.subnet for env in ("dev", "test")]
    assert len(set(subnets)) == 2 and all(re.fullmatch(r"10\.\d+\.0\.0/16", subnet) for subnet in subnets)
