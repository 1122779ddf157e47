"""Machines in the register: one without a word, several that survive what they promise, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from inventory import memory, register
from inventory.__main__ import main
from inventory.machines import MachineRole
from tests.unit.inventory.register_copy import Copy

THREE = "environments/three/environment.yaml"
DEV = "environments/dev/environment.yaml"
ROOM = {n: f"domain: room-{n}" for n in (1, 2, 3)}
ROLES = {
    1: "[manager, data, apps, edge, monitoring]",
    2: "[manager, data, apps, edge]",
    3: "[manager, data, apps, vault]",
}
FOURTH = """  - id: m4
    address: 10.199.0.14
    host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQw
    roles: [{roles}]
    domain: {domain}
    capacity: {{memory: 16384, processors: 4, disk: 200}}
administration:"""

FIFTH = """  - id: m{n}
    address: 10.199.0.1{n}
    host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA{n}
    roles: [manager]
    domain: room-{n}
    capacity: {{memory: 16384, processors: 4, disk: 200}}
administration:"""


@pytest.fixture
def three(tmp_path):
    return Copy(tmp_path, "three")


@pytest.fixture
def dev(tmp_path):
    return Copy(tmp_path)


def key(copy, machine):
    return next(m.host_key for m in copy.load().environment.machines if m.id == machine)


def fourth(copy, roles="apps", domain="room-4"):
    copy.edit(THREE, "administration:", FOURTH.format(roles=roles, domain=domain))


@pytest.mark.parametrize("env", ["dev", "test"])
def test_an_environment_that_names_no_machine_has_one_with_every_role(env):
    environment = register.load(env).environment
    (machine,) = environment.machines
    assert (machine.id, machine.address, machine.local) == ("local", "127.0.0.1", True)
    assert set(machine.roles) == set(MachineRole)
    assert environment.machines_of(environment.cells[0]) == [machine] and not environment.several_machines


def test_three_machines_are_sound_and_hold_a_cell_of_three():
    environment = register.load("three").environment
    assert [m.id for m in environment.machines_of(environment.cells[0])] == ["m1", "m2", "m3"]
    assert [m.id for m in environment.staying(MachineRole.EDGE)] == ["m1", "m2"]
    assert environment.machines[2].labels == {
        "asp.machine": "m3", "asp.domain": "room-3", "asp.role.apps": "true", "asp.role.data": "true",
        "asp.role.manager": "true", "asp.role.vault": "true",
    }  # fmt: skip


def test_validate_counts_machines(capsys):
    assert main(["validate", "--env", "three"]) == 0
    assert "3 machines, 1 cells" in capsys.readouterr().out


CASES = yaml.safe_load((Path(__file__).parent / "data" / "machine_faults.yaml").read_text(encoding="utf-8"))


def test_the_cases_are_all_there():
    assert len(CASES) >= 22


@pytest.mark.parametrize("case", CASES)
def test_refused_with_what_was_seen_and_the_next_step(three, case):
    edit = CASES[case]
    three.edit(THREE, edit["for"], edit["write"])
    faults = three.faults()
    message = re.compile(rf"^inventory/{THREE}: {edit['says']}")
    assert any(message.search(fault) for fault in faults), "\n".join(faults)


def test_one_edge_is_enough_and_none_is_not(three):
    three.edit(THREE, ROLES[2], "[manager, data, apps]")
    three.load()
    three.edit(THREE, ROLES[1], "[manager, data, apps]")
    (fault,) = three.faults()
    assert "machines = 'm1, m2, m3': no machine that stays has the role edge. Give one the role edge" in fault


@pytest.mark.parametrize("role", ["apps", "data"])
def test_somebody_runs_app_servers_and_holds_data(three, role):
    for roles in ROLES.values():
        three.edit(THREE, roles, roles.replace(f"{role}, ", ""))
    assert any(f"no machine that stays has the role {role}. Give one" in fault for fault in three.faults())


def test_a_role_of_a_machine_that_leaves_counts_for_nothing(three):
    fourth(three, "edge")
    three.edit(THREE, ROLES[1], "[manager, data, apps]")
    three.edit(THREE, ROLES[2], "[manager, data, apps]")
    three.load()
    three.edit(THREE, "    domain: room-4", "    leaving: true\n    domain: room-4")
    (fault,) = three.faults()
    assert "no machine that stays has the role edge" in fault


def test_four_managers_are_refused_and_five_in_five_rooms_are_not(three):
    fourth(three, "manager, apps")
    (fault,) = three.faults()
    assert (
        "machines = 'm1, m2, m3, m4': 4 managers survive no more losses than 3, and more can be lost. Wanted: an odd"
        in fault
    )
    three.edit(THREE, "administration:", FOURTH.format(roles="manager, apps", domain="room-5").replace("m4", "m5")
               .replace("0.14", "0.15").replace("IDQw", "IDUw"))  # fmt: skip
    assert len(three.load().environment.staying(MachineRole.MANAGER)) == 5


def test_two_of_five_managers_may_share_a_room_and_three_may_not(three):
    for machine, domain in (("m4", "room-1"), ("m5", "room-5")):
        more = FOURTH.format(roles="manager, apps", domain=domain).replace("m4", machine)
        three.edit(
            THREE, "administration:", more.replace("0.14", f"0.{machine[1]}4").replace("IDQw", f"ID{machine[1]}w")
        )
    three.load()
    three.edit(THREE, "domain: room-5", "domain: room-1")
    (fault,) = three.faults()
    assert "3 of 5 managers are in failure domain room-1" in fault


def test_one_manager_where_there_are_several_machines_is_refused(three):
    three.edit(THREE, ROLES[2], "[data, apps, edge]")
    three.edit(THREE, ROLES[3], "[data, apps, vault]")
    (fault,) = three.faults()
    assert "machines = 'm1': 1 of 3 machines that stay manage" in fault


def test_machines_copied_from_one_disk_are_refused(three):
    first, second = key(three, "m1"), key(three, "m2")
    three.edit(THREE, second, first)
    (fault,) = three.faults()
    assert (
        f"machines.1.host_key = '{first}': a duplicate: machine 0 of the list has the same host_key. Make keys anew"
        in fault
    )


@pytest.mark.parametrize(
    ("field", "remedy"), [("host_key", "Write what /etc/ssh/"), ("capacity", "Write what it has, as")]
)
def test_a_machine_reached_by_ssh_has_a_key_and_a_size(three, field, remedy):
    text = (three.root / THREE).read_text()
    line = re.search(rf"(?m)^    {field}: .*\n", text).group()
    three.edit(THREE, line, "")
    (fault,) = three.faults()
    assert f"machines.0.{field} = None: is missing for machine m1. {remedy}" in fault


def test_each_machine_holds_what_is_placed_on_it_to_the_last_mebibyte(three):
    three.edit(THREE, ROLES[3], "[manager, data, vault]")  # no app servers, which take room of their own
    environment = three.load().environment
    needed = memory.fixed(environment)["m3"]
    shared = memory.PROXY + memory.BACKUP + memory.FENCER + memory.GATE
    assert needed == memory.RESERVE + memory.POSTGRES + memory.PATRONI + memory.ETCD + shared
    assert memory.fixed(environment)["m2"] == needed + memory.EDGE
    assert memory.fixed(environment)["m1"] == needed + memory.EDGE + memory.IDENTITY + memory.IDENTITY_DB + memory.PKI
    third = "domain: room-3\n    capacity: {memory: "
    three.edit(THREE, f"{third}16384", f"{third}{needed}")
    three.load()
    three.edit(THREE, f"{third}{needed}", f"{third}{needed - 1}")
    (fault,) = three.faults()
    assert (
        f"machines.2.capacity.memory = {needed - 1}: what is placed on m3 may take {needed} MiB. Place cells on other"
        in fault
    )


def test_app_servers_fit_also_when_the_largest_machine_is_lost(three):
    loaded = three.load()
    fixed, servers = memory.fixed(loaded.environment), memory.apps(loaded.environment, loaded.installed_systems)
    for n in (2, 3):  # the first has the most, so each of the other two must hold one of every app server
        before = f"domain: room-{n}\n    capacity: {{memory: 16384"
        three.edit(THREE, before, before.replace("16384", str(fixed[f"m{n}"] + servers)))
    three.load()
    size = fixed["m3"] + servers
    three.edit(THREE, f"room-3\n    capacity: {{memory: {size}", f"room-3\n    capacity: {{memory: {size - 1}")
    (fault,) = three.faults()
    assert (
        f"app servers may take {2 * servers} MiB, and {2 * servers - 1} MiB are left for them, once the one with"
        in fault
    )


def test_memory_beyond_one_task_of_each_app_server_is_no_room_for_another(three):
    """At most one task of a service is on a machine, so a large one does not stand in for two."""
    loaded = three.load()
    fixed, servers = memory.fixed(loaded.environment), memory.apps(loaded.environment, loaded.installed_systems)
    three.edit(THREE, "room-1\n    capacity: {memory: 16384", "room-1\n    capacity: {memory: 65536")
    three.edit(THREE, "room-2\n    capacity: {memory: 16384", "room-2\n    capacity: {memory: 65536")
    small = f"room-3\n    capacity: {{memory: {fixed['m3'] + servers - 1}"
    three.edit(THREE, "room-3\n    capacity: {memory: 16384", small)
    (fault,) = three.faults()
    assert f"and {2 * servers - 1} MiB are left for them" in fault


def test_a_cell_on_one_of_several_machines_has_all_its_nodes_there(three):
    three.edit(THREE, "machines: [m1, m2, m3]", "machines: [m2]")
    environment = three.load().environment
    assert [m.id for m in environment.machines_of(environment.cells[0])] == ["m2"]
    nodes = 3 * (memory.POSTGRES + memory.PATRONI + memory.ETCD)
    assert memory.of_cell(environment.cells[0], 1) == nodes + memory.PROXY + memory.BACKUP + memory.FENCER + memory.GATE
    assert memory.fixed(environment)["m3"] == memory.RESERVE


def test_one_machine_reached_by_ssh_is_the_smallest_form_of_several(dev):
    text = (dev.root / DEV).read_text()
    machine = FOURTH.format(roles="manager, data, apps, edge", domain="room-1")
    one = f"machines:\n{machine}\n  networks: [10.199.0.0/24]\ncells:\n"
    dev.write(DEV, text.replace("cells:\n", one, 1))
    assert [m.id for m in dev.load().environment.machines_of(dev.load().environment.cells[0])] == ["m4"]
    dev.edit(DEV, "[manager, data", "[data")
    (fault,) = dev.faults()
    assert "machines = '': the only machine must manage itself. Give it the role manager" in fault


def test_the_only_machine_of_the_suite_itself_needs_neither_key_nor_size(dev):
    line = "machines:\n  - {id: here, address: 127.0.0.1, roles: [manager, data, apps, edge], domain: here}\ncells:\n"
    dev.write(DEV, (dev.root / DEV).read_text().replace("cells:\n", line, 1))
    assert json.loads(dev.load().environment.machines[0].model_dump_json())["capacity"] is None


def test_the_machine_with_what_everybody_signs_in_by_does_not_leave_by_itself(three):
    fourth(three, roles="manager, data")
    three.edit(THREE, "machines: [m1, m2, m3]", "machines: [m4, m2, m3]")
    three.edit(THREE, ROLES[1], "[data, apps, edge, monitoring]")
    three.load()
    three.edit(THREE, "    domain: room-1", "    leaving: true\n    domain: room-1")
    (fault,) = three.faults()
    assert "machines = 'm1': machine m1 is being removed, and the data of sign-in and of the" in fault
    assert "Write leaving: false at m1, and move them first (docs/machines.md)" in fault


def test_a_cell_of_three_has_a_manager_for_its_fencer(three):
    fourth(three, roles="manager, apps")
    for n in (4, 5):
        three.edit(THREE, "administration:", FIFTH.format(n=n + 1))
    three.edit(THREE, ROLES[1], "[data, apps, edge, monitoring]")
    three.edit(THREE, ROLES[2], "[data, apps, edge]")
    three.edit(THREE, ROLES[3], "[data, apps, vault]")
    (fault,) = three.faults()
    assert "cells.0.machines = 'm1, m2, m3': no machine of cell baz1 has the role manager, which its fencer" in fault
    assert "Give m1 the role manager, or name a machine that has it" in fault
    three.edit(THREE, "nodes: 3 ", "nodes: 1 ")
    three.edit(THREE, "machines: [m1, m2, m3]", "machines: [m1]")
    three.load()


@pytest.mark.parametrize(("name", "whose"), [("sajoszentpeter-1", "a workstation's"), ("centre", "another host's or")])
def test_a_machine_has_no_name_of_another_host(three, name, whose):
    three.edit(THREE, "- id: m3", f"- id: {name}")
    three.edit(THREE, "machines: [m1, m2, m3]", f"machines: [m1, m2, {name}]")
    (fault,) = three.faults()
    assert f"machines.2.id = '{name}': is {whose}" in fault and "Give the machine another id" in fault
