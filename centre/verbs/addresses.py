"""Networks on the daemon against the address plan: what would replace one under running services is refused before."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from centre.reach.runtime import Runtime
from centre.verbs.progress import StepFailed
from inventory.register import Register


def keeps_its_subnets(register: Register) -> None:
    """StepFailed when a network of the environment has another subnet than the plan gives it, or a foreign one ours,
    or when it has a way out that the register does not give it, or none that it does."""
    daemons = Runtime(register).daemons()
    networks = {network.id: network.attrs for daemon in daemons for network in daemon.networks.list()}
    if faults := list(conflicts(register, networks.values())):
        raise StepFailed("\n".join([*faults, "Nothing was touched"]))


def conflicts(register: Register, networks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What stands in the way, a sentence each. `networks`: as the daemon describes them."""
    env = register.environment.id
    environment = ipaddress.IPv4Network(register.environment.subnet)
    planned = {network.name.name: network.name.subnet for network in register.networks}
    internal = {network.name.name: network.internal for network in register.networks}
    moved, opened = [], []
    for network in networks:
        own = (network.get("Labels") or {}).get("asp.env") == env
        if own and internal.get(network["Name"], network["Internal"]) != network["Internal"]:
            opened.append(network["Name"])
        for subnet in _subnets(network):
            if not own:
                if subnet.overlaps(environment):
                    yield (
                        f"network {network['Name']} of this machine: seen {subnet}, wanted none inside {environment}. "
                        f"Remove it, or give environment {env} another subnet"
                    )
            elif str(subnet) != planned.get(network["Name"], str(subnet)):
                moved.append(f"{network['Name']}: seen {subnet}, wanted {planned[network['Name']]}")
    if moved:
        yield (
            f"environment {env} was made by another address plan ({'; '.join(moved)}), and no network is replaced "
            f"under its services. Go on with the release that made it, or make it anew: let its municipalities leave, "
            f"which exports them (playbooks/leave.yml), remove the environment and bring it up again (ADR 0034)"
        )
    if opened:
        label = f"--filter label=asp.env={env}"
        yield (
            f"networks {', '.join(sorted(opened))}: seen internal or open otherwise than the register says "
            f"(inventory/networks.py), and no network is replaced under its services. Volumes keep all data: stop the "
            f"environment (asp down {env}), remove its services and networks "
            f"(docker service rm $(docker service ls -q {label}); docker network rm $(docker network ls -q {label})) "
            f"and bring it up again (asp up {env})"
        )


def _subnets(network: Mapping[str, Any]) -> Iterator[ipaddress.IPv4Network]:
    for entry in (network.get("IPAM") or {}).get("Config") or []:
        if ":" not in (subnet := entry.get("Subnet") or ":"):
            yield ipaddress.IPv4Network(subnet)
