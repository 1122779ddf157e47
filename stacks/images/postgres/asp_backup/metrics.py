"""What the service tells of each repository; the newest answer of the catalogue counts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from asp_service.metrics import Metrics

from asp_backup.repository import Backup, Repository

HELP = {
    "asp_backup_count": "Faultless backups in the repository.",
    "asp_backup_newest_timestamp_seconds": "When the newest faultless backup of a type ended.",
    "asp_backup_newest_size_bytes": "Size of the cluster in the newest faultless backup of a type.",
    "asp_backup_newest_repository_bytes": "What the newest faultless backup of a type takes in the repository.",
    "asp_backup_catalogue_timestamp_seconds": "When the catalogue was last read without a fault.",
    "asp_backup_runs_total": "Scheduled backups since the start of the service, by outcome.",
    "asp_backup_verified_timestamp_seconds": "When the repository was last verified and whole; 0: never.",
    "asp_backup_damaged": "1 when the last verification found a fault.",
    "asp_archive_newest_wal_timestamp_seconds": "When the newest WAL segment came into the repository.",
}


class BackupMetrics:
    """The metrics of a cell's repositories."""

    def __init__(self, repositories: Sequence[Repository]):
        self._repositories = repositories
        self._metrics = Metrics(HELP)
        for repository in repositories:
            for outcome in ("done", "failed"):
                self._metrics.set("asp_backup_runs_total", 0, repository=repository.number, outcome=outcome)

    def ran(self, number: str, well: bool) -> None:
        """Count one scheduled backup."""
        self._metrics.add("asp_backup_runs_total", repository=number, outcome="done" if well else "failed")

    def read(self, number: str, backups: Sequence[Backup]) -> None:
        """Take over a catalogue that was read: faultless backups, oldest first."""
        self._metrics.set("asp_backup_catalogue_timestamp_seconds", int(time.time()), repository=number)
        self._metrics.set("asp_backup_count", len(backups), repository=number)
        for backup in backups:
            labels = {"repository": number, "type": backup["type"]}
            size = backup["info"]["repository"].get("size") or backup["info"]["repository"]["delta"]
            self._metrics.set("asp_backup_newest_timestamp_seconds", backup["timestamp"]["stop"], **labels)
            self._metrics.set("asp_backup_newest_size_bytes", backup["info"]["size"], **labels)
            self._metrics.set("asp_backup_newest_repository_bytes", size, **labels)

    def text(self) -> str:
        """All of it, with the archive and what verifications said as they are now."""
        for repository in self._repositories:
            labels = {"repository": repository.number}
            with contextlib.suppress(FileNotFoundError):  # expired meanwhile: the last value stays
                moment = int(repository.newest_wal())
                self._metrics.set("asp_archive_newest_wal_timestamp_seconds", moment, **labels)
            finding = repository.finding()
            self._metrics.set("asp_backup_verified_timestamp_seconds", finding["at"], **labels)
            self._metrics.set("asp_backup_damaged", int(bool(finding["damage"])), **labels)
        return self._metrics.text()
