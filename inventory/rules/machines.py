"""Rules of machines: each can be told from every other, and together they survive what the register promises.

One machine promises nothing: with it, everything is away until it is back. Where there are several, one of them, or
all of one failure domain, may be lost.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator

from inventory import addresses, memory, placement
from inventory.errors import Fault
from inventory.machines import Machine, MachineRole
from inventory.models import Cell
from inventory.rules.written import Written

DATA_MACHINES = (1, 3)
TAKEN = {"centre", "machines", "workstations", "all", "ungrouped"}  # names that Ansible's inventory has already
NEEDED = (MachineRole.DATA, MachineRole.APPS, MachineRole.EDGE)


def distinct(written: Written) -> Iterator[Fault]:
    """No two machines share an id, an address or a host key (which copies of one disk image do)."""
    for field in ("id", "address", "host_key"):
        indexes: dict[str, int] = {}
        for index, machine in enumerate(written.environment.machines):
            value = getattr(machine, field)
            if value is None:
                continue
            if value in indexes:
                problem = f"a duplicate: machine {indexes[value]} of the list has the same {field}"
                yield _fault(written, f"machines.{index}.{field}", value, problem, REMEDIES[field])
            indexes.setdefault(value, index)


REMEDIES = {
    "id": "Give each machine its own id",
    "address": "Write each machine's own address",
    "host_key": "Make keys anew on one of them (ssh-keygen -A, after removing the old ones), then write its own",
}


def names_apart(written: Written) -> Iterator[Fault]:
    """A machine is a host of Ansible's inventory, as is a workstation."""
    for index, machine in enumerate(written.environment.machines):
        if machine.id in TAKEN or machine.id in written.station_names:
            whose = "a workstation's" if machine.id in written.station_names else "another host's or group's"
            problem = f"is {whose} name in Ansible's inventory"
            yield _fault(written, f"machines.{index}.id", machine.id, problem, "Give the machine another id")


def roles_once(written: Written) -> Iterator[Fault]:
    for index, machine in enumerate(written.environment.machines):
        for role, count in Counter(machine.roles).items():
            if count > 1:
                yield _fault(written, f"machines.{index}.roles", role.value, f"stands {count} times", "Keep one")


def reachable(written: Written) -> Iterator[Fault]:
    """A machine that is prepared over SSH has a key and a size, and somebody may reach it."""
    environment = written.environment
    for index, machine in enumerate(environment.machines):
        if machine.local:
            if environment.several_machines:
                problem = "is this machine to each of them, so no other reaches it"
                yield _fault(
                    written,
                    f"machines.{index}.address",
                    machine.address,
                    problem,
                    "Write the address it has for others",
                )
            continue
        for field, remedy in MISSING.items():
            if getattr(machine, field) is None:
                yield _fault(written, f"machines.{index}.{field}", None, f"is missing for machine {machine.id}", remedy)
    if not environment.administration.networks and not all(machine.local for machine in environment.machines):
        problem = "no network may reach SSH, so the first run would lock everybody out"
        yield _fault(written, "administration.networks", [], problem, "Write operators' networks, as [10.1.0.0/24]")


MISSING = {
    "host_key": "Write what /etc/ssh/ssh_host_ed25519_key.pub says on its own console",
    "capacity": "Write what it has, as {memory: 16384, processors: 8, disk: 200}",
}


def apart_from_containers(written: Written) -> Iterator[Fault]:
    """An address that containers have as well is never reached from one of them."""
    network = ipaddress.IPv4Network(written.environment.subnet)
    for index, machine in enumerate(written.environment.machines):
        address = ipaddress.IPv4Address(machine.address)
        overlap = addresses.dockers_own(machine.address)
        if address in network:
            problem = f"lies in {network}, which this environment's containers have"
        elif overlap:
            problem = f"lies in {overlap[0]}, which Docker takes by itself ({overlap[1]})"
        else:
            continue
        remedy = "Write an address of another network, or give the environment another subnet"
        yield _fault(written, f"machines.{index}.address", machine.address, problem, remedy)


def roles_filled(written: Written) -> Iterator[Fault]:
    """Somebody holds the data, runs the app servers and publishes the ports."""
    for role in NEEDED:
        if not written.environment.staying(role):
            problem = f"no machine that stays has the role {role.value}"
            yield _fault(
                written, "machines", _ids(written.environment.staying()), problem, f"Give one the role {role.value}"
            )


def managers(written: Written) -> Iterator[Fault]:
    """Whatever failure domain is lost, a majority of managers lives."""
    environment = written.environment
    staying = environment.staying(MachineRole.MANAGER)
    count, place = len(staying), "machines"
    if not environment.several_machines:
        if count != 1:
            problem = "the only machine must manage itself"
            yield _fault(written, place, _ids(staying), problem, "Give it the role manager")
        return
    if count < 3:
        every = len(environment.staying())
        problem = f"{count} of {every} machines that stay manage: lose one, and nothing is started anywhere"
        yield _fault(written, place, _ids(staying), problem, "Give three machines the role manager")
    elif count % 2 == 0:
        problem = f"{count} managers survive no more losses than {count - 1}, and more can be lost"
        yield _fault(written, place, _ids(staying), problem, "Wanted: an odd number of managers")
    else:
        for domain, here in sorted(Counter(machine.domain for machine in staying).items()):
            if 2 * here >= count:
                problem = f"{here} of {count} managers are in failure domain {domain}: with it, the majority is lost"
                yield _fault(written, place, _ids(staying), problem, "Spread managers over three failure domains")


def cells_have_machines(written: Written) -> Iterator[Fault]:
    """A cell's data lies on one machine, or on three that do not fail together."""
    environment = written.environment
    by_id = {machine.id: machine for machine in environment.machines}
    for index, cell in enumerate(environment.cells):
        place = f"cells.{index}.machines"
        if not cell.machines and environment.several_machines:
            remedy = f"Name one of {_ids(environment.staying(MachineRole.DATA))}, or three in different failure domains"
            yield _fault(
                written, place, cell.machines, f"cell {cell.id} names no machine, and there are several", remedy
            )
        for machine_id in cell.machines:
            if machine_id not in by_id:
                yield _fault(written, place, machine_id, "no such machine here", f"Known: {', '.join(sorted(by_id))}")
            else:
                yield from _holds_data(written, place, cell, by_id[machine_id])
        machines = [by_id[machine_id] for machine_id in cell.machines if machine_id in by_id]
        if len(machines) == len(cell.machines) > 0:
            yield from _apart(written, place, cell, machines)
            yield from _fenced(written, place, cell, machines)


def _fenced(written: Written, place: str, cell: Cell, machines: list[Machine]) -> Iterator[Fault]:
    """The fencer of a cell of three keeps a dead leader from coming back, which only a manager can."""
    if cell.nodes > 1 and not any(MachineRole.MANAGER in machine.roles for machine in machines):
        problem = f"no machine of cell {cell.id} has the role manager, which its fencer needs"
        remedy = f"Give {machines[0].id} the role manager, or name a machine that has it"
        yield _fault(written, place, _ids(machines), problem, remedy)


def central_stays(written: Written) -> Iterator[Fault]:
    """Sign-in and the certificate authority would begin anew, empty, on another machine."""
    holders = [machine for machine in written.environment.machines if MachineRole.DATA in machine.roles]
    if holders and holders[0].leaving:
        name = holders[0].id
        problem = f"machine {name} is being removed, and the data of sign-in and of the certificate authority lie there"
        remedy = f"Write leaving: false at {name}, and move them first (docs/machines.md)"
        yield _fault(written, "machines", name, problem, remedy)


def _holds_data(written: Written, place: str, cell: Cell, machine: Machine) -> Iterator[Fault]:
    if machine.leaving:
        problem = f"machine {machine.id} is being removed, and cell {cell.id} has its data there"
        yield _fault(
            written, place, machine.id, problem, f"Write leaving: false at {machine.id}, or move the cell first"
        )
    if MachineRole.DATA not in machine.roles:
        problem = f"machine {machine.id} has not the role data"
        yield _fault(written, place, machine.id, problem, f"Give {machine.id} the role data, or name another machine")


def _apart(written: Written, place: str, cell: Cell, machines: list[Machine]) -> Iterator[Fault]:
    names = _ids(machines)
    if len(machines) not in DATA_MACHINES:
        problem = f"cell {cell.id} names {len(machines)} machines"
        yield _fault(written, place, names, problem, "Wanted: one, or three in different failure domains")
    elif len(machines) > cell.nodes:
        problem = f"cell {cell.id} names {len(machines)} machines and has {cell.nodes} node"
        yield _fault(written, place, names, problem, f"Write nodes: {len(machines)}, or name one machine")
    else:
        for name, count in Counter(machine.id for machine in machines).items():
            if count > 1:
                yield _fault(
                    written, place, name, f"cell {cell.id} names it {count} times", "Name three different ones"
                )
                return
        for domain, count in sorted(Counter(machine.domain for machine in machines).items()):
            if count > 1:
                problem = (
                    f"{count} machines of cell {cell.id} are in failure domain {domain}: with it, the cell is lost"
                )
                yield _fault(written, place, names, problem, "Name machines of three different failure domains")


def large_enough(written: Written) -> Iterator[Fault]:
    """Each machine holds what is placed on it; together they hold app servers, also without the largest of them."""
    environment = written.environment
    if not all(environment.staying(role) for role in NEEDED):
        return
    needs, servers = memory.fixed(environment), memory.apps(environment, written.installed_systems)
    place = placement.apps(environment)
    free: list[int] = []
    for index, machine in enumerate(environment.machines):
        if machine.capacity is None:
            continue
        rest = machine.capacity.memory - needs[machine.id]
        if rest < 0:
            problem = f"what is placed on {machine.id} may take {needs[machine.id]} MiB"
            remedy = "Place cells on other machines, or give it more memory"
            yield _fault(written, f"machines.{index}.capacity.memory", machine.capacity.memory, problem, remedy)
        elif machine in place.machines:
            free.append(min(rest, servers))  # of each app server at most one task
    survivors = sorted(free)[: len(free) - 1 or None]
    needed, room = servers * min(place.replicas, len(survivors)), sum(survivors)
    if needed > room:
        lost = ", once the one with the most is lost" if len(free) > 1 else ""
        problem = f"app servers may take {needed} MiB, and {room} MiB are left for them{lost}"
        yield _fault(written, "machines", _ids(environment.staying()), problem, "Add a machine for apps, or memory")


def _ids(machines: list[Machine]) -> str:
    return ", ".join(machine.id for machine in machines)


def _fault(written: Written, field: str, value: object, problem: str, remedy: str) -> Fault:
    return Fault(written.environment_file, field, value, problem, remedy)


RULES = [
    distinct,
    names_apart,
    roles_once,
    reachable,
    apart_from_containers,
    roles_filled,
    managers,
    cells_have_machines,
    central_stays,
    large_enough,
]
