"""The service's settings, as stacks/backups writes them into `/etc/asp/backup.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from asp_backup.cron import Cron
from asp_backup.repository import Repository
from asp_backup.schedule import KINDS

FILE = Path("/etc/asp/backup.json")


@dataclass(frozen=True)
class Settings:
    """`repositories`: the first is filled by joins as well. `schedules`: five-field cron, local time, by KINDS."""

    repositories: tuple[Repository, ...]
    schedules: dict[str, Cron]
    metrics_port: int

    @classmethod
    def read(cls, file: Path = FILE) -> Settings:
        """From the file; ValueError for a wrong cron expression, KeyError for what is missing."""
        values = json.loads(file.read_text(encoding="utf-8"))
        repositories = tuple(
            Repository(values["stanza"], number, Path(folder)) for number, folder in values["repositories"].items()
        )
        return cls(repositories, {name: Cron(values[name]) for name in KINDS}, values["metrics_port"])

    def repository(self, number: str) -> Repository:
        """The repository of a number; ValueError when there is none."""
        for repository in self.repositories:
            if repository.number == number:
                return repository
        numbers = ", ".join(repository.number for repository in self.repositories)
        raise ValueError(f"repository {number!r}: wanted one of {numbers}")
