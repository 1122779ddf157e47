"""Rules of addresses: every network holds its tasks, and the environment keeps clear of what Docker takes by itself."""

from __future__ import annotations

from collections.abc import Iterator

from inventory import addresses
from inventory.errors import Fault
from inventory.networks import networks
from inventory.rules.written import Written


def cells_have_a_place(written: Written) -> Iterator[Fault]:
    count = len(written.environment.cells)
    if count > addresses.CELLS:
        problem = f"the address plan has networks for {addresses.CELLS} cells"
        yield Fault(written.environment_file, "cells", count, problem, "Move cells to another environment")


def tasks_fit(written: Written) -> Iterator[Fault]:
    """Each network has the addresses that its tasks need while they are updated and a machine is lost."""
    if len(written.environment.cells) > addresses.CELLS:
        return
    for network in networks(written.environment, written.installed_systems, written.station_names):
        if network.needed > network.place.addresses:
            problem = (
                f"network {network.name.name} has {network.place.addresses} addresses for tasks in "
                f"{network.name.subnet}, and its {network.tasks} tasks need {network.needed} "
                f"({addresses.ADDRESSES_PER_TASK} each: its own, its successor's, a lost machine's)"
            )
            remedy = "Move cells (or workstations, where it is theirs) to another environment"
            yield Fault(written.environment_file, "cells", len(written.environment.cells), problem, remedy)


def apart_from_docker(written: Written) -> Iterator[Fault]:
    """Docker gives its own ranges to networks without a subnet, and then refuses ours."""
    subnet = written.environment.subnet
    if overlap := addresses.dockers_own(subnet):
        problem = f"overlaps {overlap[0]}, which Docker takes by itself ({overlap[1]})"
        remedy = "Write a /16 between 10.1.0.0 and 10.255.0.0 that no network of this site uses"
        yield Fault(written.environment_file, "subnet", subnet, problem, remedy)


RULES = [cells_have_a_place, tasks_fit, apart_from_docker]
