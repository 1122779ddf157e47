"""Rules against the last applied snapshot: what may not change once a tenant exists is refused, both values named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from inventory import applied
from inventory.errors import Fault, RegisterError
from inventory.validation import Written


def compared_with_applied(written: Written) -> Iterator[Fault]:
    try:
        snapshot = applied.read(written.env, written.root)
    except RegisterError as error:
        yield from error.faults
        return
    entries = {entry.ksh: (path, entry) for path, entry in written.entries.items()}
    for ksh, was in snapshot["municipalities"].items():
        if ksh not in entries:
            yield _vanished(written, ksh, was)
            continue
        path, entry = entries[ksh]
        if entry.cell != was["cell"]:
            problem = f"the cell cannot change once a tenant exists: {ksh} was applied in {was['cell']!r}"
            remedy = f"Write cell: {was['cell']}; to move it, leave (playbooks/leave.yml) and join again"
            yield Fault(written.name(path), "cell", entry.cell, problem, remedy)
        if entry.phase == "preparation":
            problem = f"its tenant exists: {ksh} was applied in phase {was['phase']!r}"
            remedy = f"Write phase: {was['phase']}, or run playbooks/leave.yml first"
            yield Fault(written.name(path), "phase", str(entry.phase), problem, remedy)


def _vanished(written: Written, ksh: str, was: dict[str, str]) -> Fault:
    """A tenant without an entry: its code was changed, or its file removed."""
    changed = [(path, entry) for path, entry in written.entries.items() if _same(path, entry, ksh, was)]
    if changed:
        path, entry = changed[0]
        problem = f"the KSH code cannot change once a tenant exists: {was['name']} was applied as {ksh!r}"
        return Fault(written.name(path), "ksh", entry.ksh, problem, f"Write ksh: {ksh!r}")
    folder = f"inventory/environments/{written.env}/municipalities"
    problem = f"its tenant exists ({was['name']}, phase {was['phase']}), but no file names it any more"
    return Fault(folder, "ksh", ksh, problem, "Put its file back; to remove the tenant run playbooks/leave.yml first")


def _same(path: Path, entry, ksh: str, was: dict[str, str]) -> bool:
    return entry.name == was["name"] or path.name.startswith(f"{ksh}-")


def cells_keep_their_place(written: Written) -> Iterator[Fault]:
    """A cell's networks follow from its place in the list; another place would replace them under running services."""
    try:
        snapshot = applied.read(written.env, written.root)
    except RegisterError:
        return  # told above
    places = {cell.id: index for index, cell in enumerate(written.environment.cells)}
    for cell, was in snapshot["cells"].items():
        if cell not in places:
            problem = f"cell {cell!r} was applied at place {was} and holds tenants"
            yield Fault(written.environment_file, "cells", ", ".join(places), problem, f"Put {cell} back")
        elif places[cell] != was:
            problem = f"cell {cell!r} was applied at place {was}; its networks follow from the place"
            remedy = "Keep the order of cells; add new ones at the end"
            yield Fault(written.environment_file, f"cells.{places[cell]}", cell, problem, remedy)


RULES = [compared_with_applied, cells_keep_their_place]
