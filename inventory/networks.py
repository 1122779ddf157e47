"""Every network of an environment with the services that may be on it: who can talk to whom is who shares one.

A network is internal unless it stands in OUTWARD: a container that is on internal ones only has no default route, so
it reaches neither the world outside nor the machine's published ports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory import addresses
from inventory.addresses import Place
from inventory.models import Environment
from inventory.names import NetworkName

# Docker publishes no port of a container that is on internal networks only. So the edge has a network to itself for its
# own two; a stand-in is no part of the centre and reaches the edge as any office's computer does, from outside.
OUTWARD = frozenset({"outside", "workstations"})


@dataclass(frozen=True)
class Network:
    """A network by its name, its place in the address plan, and the names of its services, a task each."""

    name: NetworkName
    place: Place
    members: frozenset[str]
    internal: bool = True

    @property
    def needed(self) -> int:
        """Addresses that its tasks may need at once."""
        return addresses.ADDRESSES_PER_TASK * len(self.members)


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
    every = [
        Network(names.network(label), place, frozenset(shared[label]), internal=label not in OUTWARD)
        for label, place in addresses.SHARED.items()
    ]
    for index, cell in enumerate(cells):
        members = frozenset({cell.proxy, *(cell.app(system) for system in systems)})
        every.append(Network(cell.apps_network, addresses.cell_apps(index), members))
        nodes = frozenset({*cell.databases, cell.backup})
        every.append(Network(cell.data_network, addresses.cell_data(index), nodes))
    return every
