"""What the register promises of services and networks, in the form that assertions compare with."""

from __future__ import annotations

from inventory.models import Municipality
from inventory.register import Register


def shared_services(register: Register) -> list[str]:
    """Services of the environment that serve every tenant."""
    names = register.names
    return [names.edge, names.identity, names.identity_db, names.pki]


def cell_services(register: Register, cell_id: str) -> list[str]:
    """Services of one cell."""
    cell = register.cell(cell_id)
    return [*cell.databases, *cell.gate, cell.backup, *(cell.app(system) for system in register.installed_systems)]


def hosting_services(register: Register, municipality: Municipality) -> list[str]:
    """Every service that a tenant's work stands on."""
    return [*shared_services(register), *cell_services(register, municipality.cell)]


def engine_holders(register: Register) -> set[str]:
    """Services that hold the engine's socket, which is root's: the fencers' gates, with no capability (ADR 0039)."""
    return {name for cell in register.environment.cells for name in register.cell(cell.id).gate}


def published_ports(register: Register) -> dict[str, list[int]]:
    """The only ports that the machine may publish, by service: the edge's two and a stand-in's SSH."""
    environment, names = register.environment, register.names
    ports = {names.edge: sorted([environment.ports.https, environment.ports.http])}
    for _, station in register.workstations():
        ports[names.workstation(station.name)] = [register.ssh_port(station)]
    return ports


def network_members(register: Register) -> dict[str, set[str]]:
    """Which services may be on each network (docs/architecture.md, Services and networks)."""
    return {network.name.name: set(network.members) for network in register.networks}
