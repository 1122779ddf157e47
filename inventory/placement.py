"""Where each service runs: on which machines, how many of it, and the constraints by which Swarm keeps it there.

What has a volume is bound to one machine, since a volume lies on one. Where there is only one machine nothing is bound:
everything runs there anyhow. What is lost with which machine: docs/adr/0043-placement.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory.machines import Machine, MachineRole
from inventory.models import Cell, Environment
from inventory.names import is_machine, is_not_machine, is_role

APP_REPLICAS = 2  # of an app server, where so many machines may run it


@dataclass(frozen=True)
class Place:
    """The place of one service. `machines`: those that it may run on; `constraints`: of its node, all of them hold.

    `apart`: at most one task on a machine, spread over failure domains.
    """

    machines: tuple[Machine, ...]
    constraints: tuple[str, ...] = ()
    replicas: int = 1
    apart: bool = False


def node(environment: Environment, cell: Cell, index: int) -> Place:
    """A cell's PostgreSQL node, or its member of etcd, at `index` (from 0): its machines take turns."""
    machines = environment.machines_of(cell)
    return _bound(environment, machines[index % len(machines)])


def fencer(environment: Environment, cell: Cell) -> Place:
    """A cell's fencer and its gate, which share a volume and ask a manager: where the first node is, if it manages."""
    machines = environment.machines_of(cell)
    return _bound(environment, next((m for m in machines if MachineRole.MANAGER in m.roles), machines[0]))


def backup(environment: Environment, cell: Cell) -> Place:
    """A cell's backups: its machine for the vault, else its last one, which is not where its first leader is."""
    machines = environment.machines_of(cell)
    return _bound(environment, next((m for m in machines if MachineRole.VAULT in m.roles), machines[-1]))


def proxy(environment: Environment, cell: Cell) -> Place:
    """A cell's pooler keeps nothing, and runs beside one of the cell's nodes."""
    machines = environment.machines_of(cell)
    if len(machines) == 1:
        return _bound(environment, machines[0])
    return _any_of(environment, MachineRole.DATA, machines)


def central(environment: Environment) -> Place:
    """Sign-in, its database and the certificate authority: on the first machine of the register for data."""
    return _bound(environment, next(m for m in environment.machines if MachineRole.DATA in m.roles))


def apps(environment: Environment) -> Place:
    """An app server, which keeps nothing."""
    machines = environment.staying(MachineRole.APPS)
    return _any_of(environment, MachineRole.APPS, machines, min(APP_REPLICAS, len(machines)))


def edge(environment: Environment) -> Place:
    """The edge: one on each machine for it, because each publishes the same ports."""
    machines = environment.staying(MachineRole.EDGE)
    return _any_of(environment, MachineRole.EDGE, machines, len(machines))


def stand_ins(environment: Environment) -> Place:
    """Workstations of invented offices: where one looks for their ports, on the first machine for the edge."""
    return _bound(environment, environment.staying(MachineRole.EDGE)[0])


def _bound(environment: Environment, machine: Machine) -> Place:
    return Place((machine,), (is_machine(machine.id),) if environment.several_machines else ())


def _any_of(environment: Environment, role: MachineRole, machines: Sequence[Machine], replicas: int = 1) -> Place:
    """Any of these machines, which all have the role. Swarm knows no "one of", so the others of the role are named."""
    if not environment.several_machines:
        return Place(tuple(machines))
    others = [m for m in environment.machines if role in m.roles and m not in machines]
    constraints = (is_role(role.value), *(is_not_machine(other.id) for other in others))
    return Place(tuple(machines), constraints, replicas, apart=replicas > 1)
