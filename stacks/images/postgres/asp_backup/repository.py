"""One repository of the cell: what pgBackRest says of it, and what this service keeps beside it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asp_service.files import UNFINISHED, read_json, write_json

INFO_SECONDS = 60
FINDING = "verified.json"  # beside the repository: what verifications said
INSIDE = "inside.json"  # beside the repository: the newest backup's label and its databases
ARCHIVED = "archived"  # folder beside the repository: a file a database that is wholly in archived WAL, with its oid
NEVER = {"at": 0, "damage": ""}

Backup = Mapping[str, Any]  # as `pgbackrest info` gives one


class RepositoryFault(Exception):
    """pgBackRest could not read the repository's catalogue; the message says why."""


@dataclass(frozen=True)
class Repository:
    """Repository `number` of a stanza. `folder`: on its volume; pgBackRest's own part of it is `repo`."""

    stanza: str
    number: str
    folder: Path

    def command(self, *words: str) -> list[str]:
        """A command of pgBackRest on this repository."""
        return ["pgbackrest", f"--stanza={self.stanza}", f"--repo={self.number}", *words]

    def info(self, *options: str) -> list[dict[str, Any]]:
        """What `pgbackrest info` says: a list, empty without a stanza. RepositoryFault when it cannot be read."""
        argv = self.command("--output=json", "--log-level-console=error", *options, "info")
        try:
            process = subprocess.run(argv, capture_output=True, text=True, timeout=INFO_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise RepositoryFault(f"the catalogue cannot be read: no answer in {error.timeout} s") from error
        if process.returncode != 0:
            output = (process.stderr or process.stdout).strip()[-300:]
            raise RepositoryFault(f"the catalogue cannot be read: {output}")
        entries: list[dict[str, Any]] = json.loads(process.stdout)
        return entries

    def backups(self) -> list[Backup]:
        """Finished, faultless backups, oldest first."""
        return faultless(self.info())

    def inside(self, label: str) -> dict[str, int]:
        """Databases in one backup: name → oid.

        pgBackRest reads the backup's whole manifest for it, seconds in a full cell, so the last answer is kept.
        """
        cache: dict[str, Any] = read_json(self.folder / INSIDE) or {}
        if cache.get("label") == label:
            return dict(cache["databases"])
        (entry,) = self.info(f"--set={label}")
        databases = {row["name"]: row["oid"] for row in entry["backup"][0].get("database-ref") or []}
        write_json(self.folder / INSIDE, {"label": label, "databases": databases})
        return databases

    def archived(self) -> dict[str, int]:
        """Databases that were noted to be in archived WAL: name → oid."""
        place = self.folder / ARCHIVED
        notes = {file.name: read_json(file) for file in place.iterdir()} if place.is_dir() else {}
        return {name: oid for name, oid in notes.items() if oid is not None and not name.endswith(UNFINISHED)}

    def note_archived(self, databases: Mapping[str, int]) -> None:
        """Note databases that are wholly in archived WAL. A file each, so that two who note lose nothing."""
        (self.folder / ARCHIVED).mkdir(exist_ok=True)
        for name, oid in databases.items():
            write_json(self.folder / ARCHIVED / name, oid)

    def finding(self) -> dict[str, Any]:
        """What verifications said: `at`, when it was whole last (epoch seconds, 0: never); `damage` since."""
        return read_json(self.folder / FINDING) or dict(NEVER)

    def note_finding(self, at: int, damage: str) -> None:
        """Keep what a verification said until the next."""
        write_json(self.folder / FINDING, {"at": at, "damage": damage})

    def newest_wal(self) -> float:
        """When the newest WAL segment came into the repository, epoch seconds; 0 when there is none."""
        place = self.folder / "repo" / "archive" / self.stanza
        for _ in range(2):  # the cluster's version and number, then the segments' first sixteen digits
            folders = sorted(entry.path for entry in os.scandir(place) if entry.is_dir()) if place.is_dir() else []
            if not folders:
                return 0.0
            place = Path(folders[-1])
        return max((entry.stat().st_mtime for entry in os.scandir(place)), default=0.0)

    def state(self) -> dict[str, Any]:
        """`info` of pgBackRest, databases `inside` the newest backup and `archived`, the last `finding`."""
        entries = self.info()
        backups = faultless(entries)
        inside = self.inside(backups[-1]["label"]) if backups else {}
        return {"info": entries, "inside": inside, "archived": self.archived(), "finding": self.finding()}


def faultless(entries: Sequence[Mapping[str, Any]]) -> list[Backup]:
    """The backups in an answer of `pgbackrest info` that ended without an error, oldest first."""
    return [backup for entry in entries for backup in entry["backup"] if not backup.get("error")]
