"""Rules of the catalogues `systems.yaml`, `sla.yaml` and `limits.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inventory.errors import Fault
from inventory.models import Clause, Limit, System
from inventory.rules.written import Written

FRAMEWORK = "keret"  # sign-in lands there
TAX = "ado"  # mandatory in the interface join mode
TRAINING = "training"  # its exercises are what a sandbox municipality is for


def unique_ids(written: Written) -> Iterator[Fault]:
    lists: dict[str, Sequence[tuple[str, System | Clause | Limit]]] = {
        "systems.yaml": written.systems,
        "sla.yaml": written.sla,
        "limits.yaml": written.limits,
    }
    for file, entries in lists.items():
        places: dict[str, str] = {}
        for place, entry in entries:
            if entry.id in places:
                problem = f"a duplicate: entry {places[entry.id]} has the same id"
                yield Fault(f"inventory/catalogue/{file}", f"{place}.id", entry.id, problem, "Remove one or rename it")
            places.setdefault(entry.id, place)


def framework_is_there(written: Written) -> Iterator[Fault]:
    if not any(system.id == FRAMEWORK and system.installed for _, system in written.systems):
        system_ids = ", ".join(system.id for _, system in written.systems)
        problem = f"no installed system {FRAMEWORK!r}: nobody could sign in"
        yield Fault(
            "inventory/catalogue/systems.yaml", "id", system_ids, problem, f"Add {FRAMEWORK} with installed: true"
        )


RULES = [unique_ids, framework_is_there]
