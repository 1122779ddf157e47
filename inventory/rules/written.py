"""What stands in the files of one environment: what every rule is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inventory.models import Clause, Environment, MunicipalityEntry, Office, Retention, Statistics, System


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
