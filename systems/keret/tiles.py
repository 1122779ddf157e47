"""Which systems the framework offers a clerk."""

from __future__ import annotations

from collections.abc import Iterable

from systems.configuration import CatalogueEntry
from systems.core.clerk import Clerk


def tiles(catalogue: Iterable[CatalogueEntry], ksh: str, clerk: Clerk) -> list[CatalogueEntry]:
    """Systems of the municipality, except the framework itself, in which the clerk has a role."""
    return [entry for entry in catalogue if entry.id != "keret" and entry.serves(ksh) and clerk.roles_in(entry.id)]
