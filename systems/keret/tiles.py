"""Which systems the framework offers a clerk."""

from __future__ import annotations

from collections.abc import Iterable

from systems.configuration import CatalogueEntry
from systems.core.clerk import Clerk


def tiles(catalogue: Iterable[CatalogueEntry], clerk: Clerk) -> list[CatalogueEntry]:
    """Installed systems, but the framework itself, in which the clerk has a role at this municipality."""
    return [entry for entry in catalogue if entry.installed and entry.id != "keret" and clerk.roles_in(entry.id)]
