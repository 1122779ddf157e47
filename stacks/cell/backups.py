"""A cell's backups: what pgBackRest's catalogue says, and making sure that a backup contains given tenants."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from stacks.cell.psql import CellSql
from stacks.cell.tenants import Outcome
from stacks.components.pgbackrest import DAILY, VAULT
from stacks.runtime import RuntimeFault

LOCKED = 50  # pgBackRest's exit code when another command of the stanza runs
NO_PRIMARY = 56  # and when no node of the cell takes writes, or can be asked
LEADERLESS_SECONDS = 30  # for which that may be a change of leader
AGAIN_SECONDS = 0.5  # until it is tried again: neither of the two tells when it is over
NO_STANZA, NO_BACKUP = 1, 2  # its status codes in `info`
QUIET = ["--log-level-console=error"]

# The archiver's last success and failure; `behind`: closed WAL segments that wait for the archive.
ARCHIVER = """\
SELECT json_build_object(
  'archived', archived_count, 'last_archived', last_archived_time,
  'failed', failed_count, 'last_failed', last_failed_time,
  'failing', coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false),
  'behind', (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'))
FROM pg_stat_archiver;
"""


class BackupFault(Exception):
    """Backups of a cell are not as wanted and could not be made so; the message says what was seen."""


@dataclass(frozen=True)
class Catalogue:
    """pgBackRest's catalogue of one stanza. `backups`: faultless ones, oldest first, as `info` gives them.

    `last_wal`: name of the newest WAL segment in the repository, empty when there is none.
    """

    code: int
    message: str
    backups: Sequence[Mapping[str, Any]]
    last_wal: str

    @property
    def newest(self) -> Mapping[str, Any] | None:
        """The last faultless backup, of whatever type."""
        return self.backups[-1] if self.backups else None


class Repository:
    """One of a cell's two pgBackRest repositories; the stanza is named as the cell."""

    def __init__(self, cell: CellSql, number: int = DAILY):
        self._cell = cell
        self.number = number
        self.service = cell.cell.backup
        self.stanza = cell.cell_id

    def catalogue(self) -> Catalogue:
        """What is in the repository."""
        entry = self._info()
        status = entry["status"]
        backups = [backup for backup in entry.get("backup", []) if not backup.get("error")]
        last_wal = max((archive["max"] or "" for archive in entry.get("archive", [])), default="")
        return Catalogue(status["code"], status["message"], backups, last_wal)

    def databases(self, label: str) -> dict[str, int]:
        """Databases in one backup: name → oid (a database made again under its name has another oid)."""
        (backup,) = self._info(f"--set={label}")["backup"]
        return {row["name"]: row["oid"] for row in backup.get("database-ref") or []}

    def archiver(self) -> dict[str, Any]:
        """State of the node's WAL archiver (see ARCHIVER)."""
        (row,) = self._cell.rows(ARCHIVER, role="postgres")
        return row

    def create_stanza(self) -> None:
        """Make the stanza's place in both repositories."""
        self._run(["stanza-create"], 60)

    def prove_archiving(self) -> None:
        """Close a WAL segment and wait until the repository holds it. RuntimeFault with pgBackRest's reason if not."""
        self._run(["check", "--archive-timeout=60"], 90)

    def back_up(self, kind: str, deadline: float = 3600) -> None:
        """Take a backup (`full`, `diff`, `incr`), after one that already runs; at most `deadline` seconds in all."""
        self._run([f"--repo={self.number}", f"--type={kind}", "backup"], deadline)

    def verify(self, deadline: float = 3600) -> None:
        """Read everything in the repository and compare it with its checksums. RuntimeFault with what is wrong."""
        self._cell.runtime.check(self.service, ["asp_backup.py", "verify", str(self.number)], timeout=deadline)

    def finding(self) -> dict[str, Any]:
        """What verifications found: `at`, when it was whole last (epoch seconds, 0: never); `damage` since."""
        return json.loads(self._cell.runtime.check(self.service, ["asp_backup.py", "finding", str(self.number)]))

    def _info(self, *options: str) -> dict[str, Any]:
        argv = [
            "pgbackrest",
            f"--stanza={self.stanza}",
            "--output=json",
            f"--repo={self.number}",
            *QUIET,
            *options,
            "info",
        ]
        entries = json.loads(self._cell.runtime.check(self.service, argv))
        if not entries:
            return {"status": {"code": NO_STANZA, "message": "missing stanza path"}, "backup": []}
        return entries[0]

    def _run(self, command: list[str], seconds: float) -> None:
        began = time.monotonic()
        patience = {LOCKED: seconds, NO_PRIMARY: min(seconds, LEADERLESS_SECONDS)}
        argv = ["pgbackrest", f"--stanza={self.stanza}", *QUIET, *command]
        while True:
            left = began + seconds - time.monotonic()
            result = self._cell.runtime.run(self.service, argv, timeout=max(left, 1))
            if result.code == 0:
                return
            seen = (result.err.strip() or result.out.strip())[-1500:]
            if time.monotonic() - began >= patience.get(result.code, 0):
                raise RuntimeFault(f"{self.service}: pgbackrest {command[-1]} exited with {result.code}: {seen}")
            time.sleep(AGAIN_SECONDS)


def ensure_backed_up(cell: CellSql, names: Sequence[str], check: bool) -> Outcome:
    """See to it that WAL is archived and the newest backup contains the databases `names` (`t16054`).

    In check mode only says what would be done. BackupFault for a database that does not exist, RuntimeFault when
    pgBackRest refuses.
    """
    outcome = Outcome()
    repository, vault = Repository(cell), Repository(cell, VAULT)
    looks = (
        partial(_oids, cell, names),
        repository.catalogue,
        vault.catalogue,
        repository.archiver,
        repository.finding,
        vault.finding,
    )
    with ThreadPoolExecutor(len(looks)) as pool:  # each is a process in a container
        present, catalogue, encrypted, archiver, *findings = pool.map(lambda look: look(), looks)
    gone = sorted(set(names) - set(present))
    if gone and not check:  # a check of a whole join comes here before the databases exist
        raise BackupFault(f"cell {cell.cell_id}: no database {', '.join(gone)}; run role tenant_database first")
    if NO_STANZA in (catalogue.code, encrypted.code):
        _note(outcome, "stanza", "absent", "present in both repositories, archiving proven")
        if not check:
            repository.create_stanza()
            repository.prove_archiving()
    elif archiver["failing"]:
        _note(outcome, "WAL archive", f"failing since {archiver['last_failed']}", "archiving proven")
        if not check:
            repository.prove_archiving()
    newest = catalogue.newest
    inside = repository.databases(newest["label"]) if newest else {}
    lacking = gone + sorted(name for name, oid in present.items() if inside.get(name) != oid)
    if lacking:
        kind = "incr" if newest else "full"
        _note(outcome, "newest backup", f"{newest['label'] if newest else 'none'}, without {', '.join(lacking)}", kind)
        if not check:
            repository.back_up(kind)
            _prove(repository, {name: present[name] for name in lacking})
    if not encrypted.newest:  # later ones come by the schedule; the tenants that join meanwhile are in the WAL
        _note(outcome, "encrypted repository", "no backup", "full")
        if not check:
            vault.back_up("full")
    for each, finding in zip((repository, vault), findings, strict=True):
        if not finding["at"]:  # later on the schedule sees to it, after each full backup
            _note(outcome, f"repository {each.number}", "never verified", "verified")
            if not check:
                each.verify()
    return outcome


def _prove(repository: Repository, wanted: Mapping[str, int]) -> None:
    newest = repository.catalogue().newest
    inside = repository.databases(newest["label"]) if newest else {}
    if lacking := sorted(name for name, oid in wanted.items() if inside.get(name) != oid):
        label = newest["label"] if newest else "no backup"
        raise BackupFault(f"stanza {repository.stanza}: {label} still lacks {', '.join(lacking)}")


def _oids(cell: CellSql, names: Sequence[str]) -> dict[str, int]:
    (row,) = cell.rows("SELECT coalesce(json_object_agg(datname, oid::bigint), '{}') FROM pg_database;")
    return {name: row[name] for name in names if name in row}


def _note(outcome: Outcome, subject: str, before: str, after: str) -> None:
    outcome.before.append(f"{subject}: {before}")
    outcome.after.append(f"{subject}: {after}")
