"""Rules of tenants' caps: they fit together, and what a cell's tenants may take together fits its server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from inventory.errors import Fault
from inventory.gazetteer import settlements
from inventory.models import Caps, SizeClass
from inventory.rules.written import Written

# A time-out that can never be reached before another one is a mistake: (the shorter, the longer).
ORDER = [
    ("lock_seconds", "statement_seconds"),
    ("statement_seconds", "transaction_seconds"),
    ("idle_in_transaction_seconds", "transaction_seconds"),
]


def _of_entries(written: Written) -> Iterator[tuple[Path, str, Caps]]:
    """(file, cell, caps) of each municipality."""
    environment = written.environment
    ordinary = {(cell.id, size): environment.caps_of(cell.id, size) for cell in environment.cells for size in SizeClass}
    for path, entry in written.entries.items():
        settlement = settlements().get(entry.ksh)
        size = SizeClass.for_population(settlement.population) if settlement else None
        caps = ordinary.get((entry.cell, size)) if size and entry.caps is None else None
        yield path, entry.cell, caps or environment.caps_of(entry.cell, size, entry.caps)


def in_order(written: Written) -> Iterator[Fault]:
    """Shorter time-outs are shorter, in the default and for every municipality."""
    yield from _out_of_order(written.environment_file, "caps.default", written.environment.caps.default)
    checked: set[Caps] = set()  # most municipalities have the caps of many others
    for path, _, caps in _of_entries(written):
        if caps not in checked:
            faults = list(_out_of_order(written.name(path), "caps", caps))
            if not faults:
                checked.add(caps)
            yield from faults


def _out_of_order(file: str, place: str, caps: Caps) -> Iterator[Fault]:
    for shorter, longer in ORDER:
        if getattr(caps, shorter) > getattr(caps, longer):
            problem = f"is above {longer} = {getattr(caps, longer)}, which would always strike first"
            remedy = f"Write at most {getattr(caps, longer)}, or raise {longer}"
            yield Fault(file, f"{place}.{shorter}", getattr(caps, shorter), problem, remedy)


def within_the_server(written: Written) -> Iterator[Fault]:
    """The pooler has no cap for all tenants together: every one at its limit must find a free connection.

    How many it has follows from the cell's capacity alone, so that a tenant's override needs no restart.
    """
    connections: dict[str, int] = defaultdict(int)
    for _, cell_id, caps in _of_entries(written):
        connections[cell_id] += caps.connections
    for index, cell in enumerate(written.environment.cells):
        room = written.environment.server_connections(cell)
        if (total := connections[cell.id]) > room:
            problem = f"tenants of {cell.id} may take {total} connections together, its server has {room}"
            remedy = "Lower caps.connections of some, or raise the cell's (cells[].caps.connections), which restarts it"
            yield Fault(written.environment_file, f"cells.{index}.caps.connections", total, problem, remedy)


RULES = [in_order, within_the_server]
