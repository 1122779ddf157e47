"""Rules against the last applied snapshot: what may not change once a tenant exists is refused, both values named."""

from __future__ import annotations

from collections.abc import Iterator
from operator import eq
from typing import Any

from inventory import applied, placement
from inventory.errors import Fault, RegisterError
from inventory.machines import MachineRole
from inventory.models import Cell
from inventory.rules.written import Written


def compared_with_applied(written: Written) -> Iterator[Fault]:
    try:
        snapshot = applied.read(written.env, written.root)
    except RegisterError as error:
        yield from error.faults
        return
    entries = {entry.ksh: (path, entry) for path, entry in written.entries.items()}
    for ksh, was in snapshot.items():
        if ksh not in entries:
            yield _vanished(written, ksh, was)
            continue
        path, entry = entries[ksh]
        if entry.cell != was["cell"]:
            problem = f"the cell cannot change once a tenant exists: {ksh} was applied in {was['cell']!r}"
            remedy = f"Write cell: {was['cell']}; to move it, leave (playbooks/leave.yml) and join again"
            yield Fault(written.name(path), "cell", entry.cell, problem, remedy)
        if entry.training != was.get("training", False):
            training, before = str(entry.training).lower(), str(was.get("training", False)).lower()
            problem = f"training cannot change once a tenant exists: {ksh} was applied with {before}"
            remedy = (
                f"Write training: {before}; invented and real data must not meet: leave (playbooks/leave.yml) first"
            )
            yield Fault(written.name(path), "training", training, problem, remedy)
        if entry.phase == "preparation":
            problem = f"its tenant exists: {ksh} was applied in phase {was.get('phase', 'connection')!r}"
            remedy = f"Write phase: {was.get('phase', 'connection')}, or run playbooks/leave.yml first"
            yield Fault(written.name(path), "phase", str(entry.phase), problem, remedy)
    yield from _moved_environment(written, snapshot)
    yield from _moved_cells(written, snapshot)
    yield from _shrunk_cells(written, snapshot)
    yield from _moved_data(written, snapshot)


def _vanished(written: Written, ksh: str, was: dict[str, Any]) -> Fault:
    """A tenant without an entry: its code was changed, or its file removed."""
    for path, entry in written.entries.items():
        if entry.name == was["name"] or path.name.startswith(f"{ksh}-"):
            problem = f"the KSH code cannot change once a tenant exists: {was['name']} was applied as {ksh!r}"
            return Fault(written.name(path), "ksh", entry.ksh, problem, f"Write ksh: {ksh!r}")
    folder = f"inventory/environments/{written.env}/municipalities"
    problem = f"its tenant exists ({was['name']}), but no file names it any more"
    return Fault(folder, "ksh", ksh, problem, "Put its file back; to remove the tenant run playbooks/leave.yml first")


def _moved_environment(written: Written, snapshot: applied.Snapshot) -> Iterator[Fault]:
    """Another subnet would replace every network under running services."""
    for subnet in sorted({was["subnet"] for was in snapshot.values() if "subnet" in was}):
        if subnet != written.environment.subnet:
            problem = f"the subnet cannot change once a tenant exists: it was applied with {subnet!r}"
            yield Fault(written.environment_file, "subnet", written.environment.subnet, problem, f"Write {subnet}")


def _moved_cells(written: Written, snapshot: applied.Snapshot) -> Iterator[Fault]:
    """A cell's networks follow from its place in the list; another place would replace them under running services."""
    places = {cell.id: index for index, cell in enumerate(written.environment.cells)}
    applied_places = {was["cell"]: was["cell_place"] for was in snapshot.values() if "cell_place" in was}
    for cell, was in applied_places.items():
        if cell not in places:
            problem = f"cell {cell!r} was applied and holds tenants"
            yield Fault(written.environment_file, "cells", ", ".join(places), problem, f"Put {cell} back")
        elif places[cell] != was:
            problem = f"cell {cell!r} was applied at place {was} of the list; its networks follow from the place"
            remedy = "Keep the order of cells; add new ones at the end"
            yield Fault(written.environment_file, f"cells.{places[cell]}", cell, problem, remedy)


def _shrunk_cells(written: Written, snapshot: applied.Snapshot) -> Iterator[Fault]:
    """A node taken out goes with its volume, and the one that stays may lack what the others acknowledged."""
    nodes: dict[str, int] = {}
    for was in snapshot.values():
        nodes[was["cell"]] = max(nodes.get(was["cell"], 1), was.get("cell_nodes", 1))
    for index, cell in enumerate(written.environment.cells):
        if cell.nodes < (was_nodes := nodes.get(cell.id, 1)):
            yield fewer_nodes(written.environment_file, index, cell, f"was applied with {was_nodes}", was_nodes)


def _moved_data(written: Written, snapshot: applied.Snapshot) -> Iterator[Fault]:
    """On another machine a node begins empty: a majority must stay, from which the others get everything again."""
    environment = written.environment
    by_cell = {was["cell"]: was["node_machines"] for was in snapshot.values() if "node_machines" in was}
    for index, cell in enumerate(environment.cells):
        if cell.id not in by_cell or not environment.machines_of(cell):
            continue
        before = by_cell[cell.id]
        now = [placement.node(environment, cell, number).machines[0].id for number in range(len(before))]
        if 2 * sum(map(eq, before, now)) <= len(before):
            where, would_be = ", ".join(before), ", ".join(now)
            problem = f"the nodes of cell {cell.id} were applied on {where}, and would be on {would_be}"
            remedy = "Keep the machines in their order; of three, change one at a time (docs/machines.md)"
            yield Fault(written.environment_file, f"cells.{index}.machines", ", ".join(cell.machines), problem, remedy)
    holders = [machine.id for machine in environment.machines if MachineRole.DATA in machine.roles]
    for before in sorted({was["central_machine"] for was in snapshot.values() if "central_machine" in was}):
        if holders[:1] != [before]:
            problem = f"sign-in and the certificate authority were applied on {before}, the first machine for data"
            remedy = f"Keep {before} before the other machines for data, or move them first (docs/machines.md)"
            yield Fault(written.environment_file, "machines", ", ".join(holders), problem, remedy)


def fewer_nodes(file: str, index: int, cell: Cell, former: str, nodes: int) -> Fault:
    """A cell with fewer nodes than it had. `former`: how many that were, and who says so; for the rule and for
    `centre.verbs`, which asks the daemon where this machine does not remember what was applied."""
    problem = f"a cell gets no fewer nodes: {cell.id!r} {former}; a node taken out goes with its data"
    return Fault(file, f"cells.{index}.nodes", cell.nodes, problem, KEEP.format(nodes))


KEEP = "Write nodes: {}; for fewer, let its tenants leave (playbooks/leave.yml) and join in a new cell"
RULES = [compared_with_applied]
