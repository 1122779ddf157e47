"""Checks that need more than one file: references, collisions, capacities, agreement with the list of settlements.

Each module of `inventory.rules` looks after one kind of file; a rule is a function from `Written` to faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import Fault

if TYPE_CHECKING:
    from inventory.register import Clause, Environment, MunicipalityEntry, Office, Retention, Statistics, System


@dataclass(frozen=True)
class Written:
    """What stands in the files of one environment, each sound by itself. Lists carry the place of each entry."""

    root: Path
    env: str
    systems: list[tuple[str, System]]
    sla: list[tuple[str, Clause]]
    statistics: Statistics
    retention: Retention
    environment: Environment
    entries: dict[Path, MunicipalityEntry]
    offices: dict[Path, Office]

    def name(self, path: Path) -> str:
        """A file's path as faults show it: from the repository's root."""
        return str(path.relative_to(self.root.parent))

    @property
    def environment_file(self) -> str:
        return f"inventory/environments/{self.env}/environment.yaml"


def cross_check(written: Written) -> list[Fault]:
    """Every fault between files of one environment; empty when the register is sound."""
    from inventory.rules import caps, catalogue, environment, municipalities, offices, unchangeable

    modules = (catalogue, environment, municipalities, caps, offices, unchangeable)
    return [fault for module in modules for rule in module.RULES for fault in rule(written)]
