"""Checks that need more than one file: references, collisions, capacities, agreement with the list of settlements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import Fault

if TYPE_CHECKING:
    from inventory.register import Environment, MunicipalityEntry, Office, System


def cross_check(
    env: str,
    root: Path,
    environment: Environment,
    systems: list[tuple[str, System]],
    entries: dict[Path, MunicipalityEntry],
    offices: dict[Path, Office],
) -> list[Fault]:
    """Every fault between files of one environment; empty when the register is sound."""
    return []
