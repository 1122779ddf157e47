"""What a break-in at one system's app server reaches, from the data that the database and the networks are made of.

`python -m centre.isolation.break_in` prints the page docs/reach.md; a unit test compares it, tests/systems tries it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inventory.networks import networks
from inventory.register import Register, load
from systems.shared.messages import ALLOWED

ENVIRONMENT = "test"  # what is read here is the same in every environment

PAGE = """\
# What a break-in reaches

Whoever takes over the app server of one system has that system's key and with it its login in the database of every
municipality of the cell that has the system. The table says what this opens in each of them, beyond the system's own
schema, which it reads and writes. Nothing else: `tests/systems/test_break_in.py` tries every relation, function and
message from every login. This page is generated (`python -m centre.isolation.break_in`).

- **Reads, calls**: views and functions that another system shares (`shares:` in `inventory/catalogue/systems.yaml`).
  A view may narrow itself to who asks: `keret.clerk_access` shows roles in the asking system only, except to `keret`,
  `irat` and `training`. A function keeps who asked: `ado.balance_of`.
- **Sends**: messages that the INSERT policy of schema `chain` lets through (`systems/shared/messages.py`). What the
  receiver does with one is bounded too: a sign-in brings roles of the sender alone, an import is written only when a
  second person's approval is in the database, a case's status comes from records or the system that deals with it, a
  line of the business log says which system wrote it.
- **Networks**: whoever else is on them can be reached over the network; what they answer is their own matter.

No login can make objects, temporary tables or large objects, change its own password or settings for later sessions,
hold more than half of its municipality's connections, spill more than `temporary_mebibytes` a session, or see what
other municipalities do. Their codes it can list: PostgreSQL shows names of databases and roles to everybody.

| system | public | reads | calls | sends | networks |
| --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Row:
    """What one system's app server reaches beyond its own schema. `sends`: (target, topic)."""

    system: str
    public: bool
    reads: tuple[str, ...]
    calls: tuple[str, ...]
    sends: tuple[tuple[str, str], ...]
    networks: tuple[str, ...]


def reach(register: Register) -> list[Row]:
    """A row for each installed system, in the order of the catalogue."""
    installed = tuple(system.id for system in register.systems.values() if system.installed)
    names = register.environment.names
    first = register.environment.cells[0]
    cell = names.cell(first.id, 0, first.nodes, installed)
    every = networks(register.environment, installed, [])
    shared = [
        (reader, f"{system.id}.{view}")
        for system in register.systems.values()
        for view, readers in system.shares.items()
        for reader in readers
    ]
    rows = []
    for system in installed:
        own = sorted(name for reader, name in shared if reader == system)
        rows.append(
            Row(
                system,
                register.systems[system].public,
                tuple(name for name in own if not name.endswith(")")),
                tuple(name for name in own if name.endswith(")")),
                tuple(sorted((target, topic) for source, target, topic in ALLOWED if source == system)),
                tuple(
                    network.name.name.split(f"-{register.environment.id}-", 1)[1]
                    for network in every
                    if cell.app(system) in network.members
                ),
            )
        )
    return rows


def page(rows: Iterable[Row]) -> str:
    """The page as Markdown."""
    lines = []
    for row in rows:
        sends = "; ".join(f"{topic} → {target}" for target, topic in row.sends)
        cells = (
            f"`{row.system}`",
            "yes" if row.public else "no",
            ", ".join(f"`{name}`" for name in row.reads) or "–",
            ", ".join(f"`{name}`" for name in row.calls) or "–",
            sends or "–",
            ", ".join(row.networks),
        )
        lines.append(f"| {' | '.join(cells)} |\n")
    return PAGE + "".join(lines)


if __name__ == "__main__":
    print(page(reach(load(ENVIRONMENT))), end="")
