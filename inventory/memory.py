"""The memory that each service may take (MiB): its limit in the stacks, and what counts when a machine must hold it.

What each takes was measured (docs/benches.md, docs/cells.md); a limit leaves room above that.
"""

from __future__ import annotations

from collections.abc import Sequence

from inventory import placement
from inventory.models import Cell, Environment

EDGE = 512  # 43 KiB for each of 8,000 connections with half a head, and room
IDENTITY = 1024
IDENTITY_DB = 384
PKI = 256
POSTGRES = 1024
PATRONI = 96  # on top of a node's, where there are three
ETCD = 192
FENCER = 96
GATE = 64
PROXY = 256
BACKUP = 256
APP = 256
# Systems for which that is too little: a package of 64 MiB and, one at a time, a system's 16 MiB of it as rows.
MORE_APP = {"migration": 640}

# What a machine needs for itself: kernel, Docker with its containers' shims, SSH, time, updates. Assumed, not measured.
RESERVE = 768


def app(system: str) -> int:
    """A system's app server."""
    return MORE_APP.get(system, APP)


def of_cell(cell: Cell, machines: int) -> int:
    """What a machine of a cell must hold: its share of the nodes, and what any of the cell's machines may run."""
    if cell.nodes == 1:
        return POSTGRES + PROXY + BACKUP
    here = -(-cell.nodes // machines)
    return here * (POSTGRES + PATRONI + ETCD) + FENCER + GATE + PROXY + BACKUP


def fixed(environment: Environment) -> dict[str, int]:
    """Memory that each machine gives to itself and to what can run nowhere else, by the machine's id."""
    needs = {machine.id: RESERVE for machine in environment.machines}
    for machine in placement.edge(environment).machines:
        needs[machine.id] += EDGE
    for machine in placement.central(environment).machines:
        needs[machine.id] += IDENTITY + IDENTITY_DB + PKI
    for cell in environment.cells:
        machines = environment.machines_of(cell)
        for machine in machines:
            needs[machine.id] += of_cell(cell, len(machines))
    return needs


def apps(environment: Environment, systems: Sequence[str]) -> int:
    """Memory of one task of each app server: the most that they take of one machine, where there are several."""
    return len(environment.cells) * sum(app(system) for system in systems)
