"""What stands in the files of one environment: what every rule is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inventory.models import Clause, Environment, Limit, Municipality, Office, Retention, Statistics, System


@dataclass(frozen=True)
class Written:
    """What stands in the files of one environment, each sound by itself. Lists carry the place of each entry."""

    root: Path
    env: str
    systems: list[tuple[str, System]]
    sla: list[tuple[str, Clause]]
    statistics: Statistics
    retention: Retention
    limits: list[tuple[str, Limit]]
    environment: Environment
    entries: dict[Path, Municipality]
    offices: dict[Path, Office]

    @property
    def installed_systems(self) -> tuple[str, ...]:
        return tuple(system.id for _, system in self.systems if system.installed)

    @property
    def station_names(self) -> list[str]:
        """Names of all workstations of the environment."""
        return [station.name for office in self.offices.values() for station in office.workstations]

    def name(self, path: Path) -> str:
        """A file's path as faults show it: from the repository's root."""
        return str(path.relative_to(self.root.parent))

    @property
    def environment_file(self) -> str:
        return f"inventory/environments/{self.env}/environment.yaml"
