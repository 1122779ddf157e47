"""The address plan of an environment: which part of its /16 each network has, forever (docs/adr/0034-address-plan.md).

A place follows from a network's name, or from a cell's place in the list, and never from how many there are: a subnet
cannot change under running services. `inventory.rules.addresses` refuses a register whose tasks do not fit.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

ENVIRONMENT_PREFIX = 16


@dataclass(frozen=True)
class Place:
    """Where a network lies in its environment's /16: the number of its first /24, and its size."""

    first: int
    prefix: int

    def subnet(self, environment: str) -> ipaddress.IPv4Network:
        """The network's own subnet; `environment`: the environment's, as `10.61.0.0/16`."""
        base = int(ipaddress.IPv4Network(environment).network_address)
        return ipaddress.IPv4Network((base + (self.first << 8), self.prefix))

    @property
    def addresses(self) -> int:
        """Addresses that tasks may have: not the network's own, the broadcast's, the gateway's, nor the machines'."""
        return (1 << (32 - self.prefix)) - 3 - MACHINES


# Swarm keeps one address in each network for every machine that has a task in it (its load balancer's, also in dnsrr).
MACHINES = 32
# What a task may need at once: its own, its successor's while it is updated, and one that a lost machine still holds.
ADDRESSES_PER_TASK = 3

# Never renumber and never resize: that replaces a network. Small ones first, then those that grow with the country.
# Free: the /24s 0, 1 and 8 to 15, and two /20s, from 64 (for monitoring: every task will be in it) and from 80.
SHARED: dict[str, Place] = {
    "edge-identity": Place(2, 24),  # edge → Keycloak; Keycloak trusts forwarded headers from here only
    "outside": Place(3, 24),  # the edge alone: by this one its published ports are reached
    "identity-db": Place(4, 24),  # Keycloak → its database
    "pki": Place(5, 24),  # edge → step-ca
    "engine": Place(6, 23),  # the fencers' gates to the engine, one a cell, which talk to nobody over any network
    "edge-apps": Place(16, 20),  # edge → app servers
    "apps-identity": Place(32, 20),  # app servers → Keycloak (token, keys)
    "workstations": Place(48, 20),  # stand-ins for municipal offices; reach the edge by its published port only
}
FIRST_CELL = 96  # then two /24 a cell: apps has one, data the first half of the other
CELLS = (256 - FIRST_CELL) // 2


def cell_apps(index: int) -> Place:
    """App servers → proxy, of the cell at `index` (from 0) in the environment's list."""
    return Place(FIRST_CELL + 2 * index, 24)


def cell_data(index: int) -> Place:
    """Proxy → nodes, nodes ↔ backup, of the cell at `index`."""
    return Place(FIRST_CELL + 2 * index + 1, 25)


# What Docker takes by itself for networks without a subnet: an environment among them meets them sooner or later.
DOCKERS_OWN = {
    "10.0.0.0/16": "the Swarm's ingress network and its first networks without a subnet",
    "172.17.0.0/16": "docker0",
    "172.18.0.0/15": "docker_gwbridge and networks without a subnet",
    "172.20.0.0/14": "networks without a subnet",
    "172.24.0.0/13": "networks without a subnet",
    "192.168.0.0/16": "networks without a subnet",
}


def dockers_own(subnet: str) -> tuple[str, str] | None:
    """The range of Docker's own that a subnet overlaps, and what it is for; None when it overlaps none."""
    network = ipaddress.IPv4Network(subnet)
    for pool, use in DOCKERS_OWN.items():
        if network.overlaps(ipaddress.IPv4Network(pool)):
            return pool, use
    return None
