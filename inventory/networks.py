"""Every network of an environment with the services that may be on it: who can talk to whom is who shares one.

A network is internal unless it stands in OUTWARD: a container that is on internal ones only has no default route, so
it reaches neither the world outside nor the machine's published ports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory import addresses, placement
from inventory.addresses import Place
from inventory.models import Environment
from inventory.names import NetworkName

# Docker publishes no port of a container that is on internal networks only. So the edge has a network to itself for its
# own two; a stand-in is no part of the centre and reaches the edge as any office's computer does, from outside.
OUTWARD = frozenset({"outside", "workstations"})


@dataclass(frozen=True)
class Network:
    """A network by its name, its place in the address plan, the names of its services, and how many tasks they have."""

    name: NetworkName
    place: Place
    members: frozenset[str]
    tasks: int
    internal: bool = True

    @property
    def needed(self) -> int:
        """Addresses that its tasks may need at once."""
        return addresses.ADDRESSES_PER_TASK * self.tasks


def networks(environment: Environment, systems: tuple[str, ...], stations: Sequence[str]) -> list[Network]:
    """Networks of an environment. `systems`: installed ones; `stations`: names of its workstations."""
    names = environment.names
    cells = [names.cell(cell.id, index, cell.nodes, systems) for index, cell in enumerate(environment.cells)]
    apps = {cell.app(system) for cell in cells for system in systems}
    shared: dict[str, set[str]] = {
        "outside": {names.edge},
        "edge-apps": {names.edge, *apps},
        "edge-identity": {names.edge, names.identity},
        "apps-identity": {names.identity, *apps},
        "identity-db": {names.identity, names.identity_db},
        "pki": {names.edge, names.pki},
        "engine": {gate for cell in cells for gate in cell.gate},
        "workstations": {names.workstation(station) for station in stations},
    }
    replicas = {names.edge: placement.edge(environment).replicas}
    replicas |= dict.fromkeys(apps, placement.apps(environment).replicas)

    def network(name: NetworkName, place: Place, members: set[str], internal: bool = True) -> Network:
        tasks = sum(replicas.get(member, 1) for member in members)
        return Network(name, place, frozenset(members), tasks, internal)

    every = [
        network(names.network(label), place, shared[label], label not in OUTWARD)
        for label, place in addresses.SHARED.items()
    ]
    for index, cell in enumerate(cells):
        members = {cell.proxy, *(cell.app(system) for system in systems)}
        every.append(network(cell.apps_network, addresses.cell_apps(index), members))
        every.append(network(cell.data_network, addresses.cell_data(index), {*cell.databases, cell.backup}))
    return every
