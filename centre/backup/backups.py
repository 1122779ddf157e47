"""A cell's backups: what pgBackRest's catalogue says, and making sure that given tenants can come back from them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from centre.steps import Plan
from stacks.configs.pgbackrest import DAILY, VAULT
from stacks.configs.sql import literal

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

# Databases: oid, and when each began to be made (epoch seconds), by a file that is written then and never again.
CREATIONS = """\
SELECT coalesce(json_object_agg(datname, json_build_array(oid::bigint,
  extract(epoch FROM (pg_stat_file('base/' || oid || '/PG_VERSION')).modification))), '{}')
FROM pg_database WHERE datname IN (%s);
"""

# Closes the WAL segment in which we are and waits until the repositories hold it. The record before it is there because
# a server that has written nothing since it started closes none and remembers none.
ARCHIVE_SECONDS = 60
ARCHIVE = f"""\
DO $do$
DECLARE
  wal text;
  reached text;
  patience timestamptz := clock_timestamp() + interval '{ARCHIVE_SECONDS} s';
BEGIN
  PERFORM pg_create_restore_point('asp');
  wal := pg_walfile_name(pg_switch_wal() - 1);
  LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT coalesce(left(last_archived_wal, 24), 'none') INTO reached FROM pg_stat_archiver;
    EXIT WHEN reached <> 'none' AND reached >= wal;
    IF clock_timestamp() > patience THEN
      RAISE EXCEPTION 'WAL segment % is not archived after {ARCHIVE_SECONDS} s, the newest that is: %', wal, reached;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
END $do$;
"""


class BackupFault(Exception):
    """Backups of a cell are not as wanted and could not be made so; the message says what was seen."""


@dataclass(frozen=True)
class RepositoryReport:
    """pgBackRest's catalogue of one stanza. `backups`: faultless ones, oldest first, as `info` gives them.

    `last_wal`: name of the newest WAL segment in the repository, empty when there is none. `failed`: labels of backups
    with faults.
    """

    code: int
    message: str
    backups: Sequence[Mapping[str, Any]]
    last_wal: str
    failed: Sequence[str] = ()

    @classmethod
    def from_info(cls, entries: Sequence[Mapping[str, Any]]) -> RepositoryReport:
        """From what `pgbackrest info` printed of one repository."""
        if not entries:
            return cls(NO_STANZA, "missing stanza path", [], "")
        (entry,) = entries
        backups = [backup for backup in entry["backup"] if not backup.get("error")]
        last_wal = max((archive["max"] or "" for archive in entry.get("archive", [])), default="")
        failed = [backup["label"] for backup in entry["backup"] if backup.get("error")]
        return cls(entry["status"]["code"], entry["status"]["message"], backups, last_wal, failed)

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

    def catalogue(self) -> RepositoryReport:
        """What is in the repository."""
        return RepositoryReport.from_info(self._info())

    def databases(self, label: str) -> dict[str, int]:
        """Databases in one backup: name → oid (a database made again under its name has another oid)."""
        (entry,) = self._info(f"--set={label}")
        (backup,) = entry["backup"]
        return {row["name"]: row["oid"] for row in backup.get("database-ref") or []}

    def archiver(self) -> dict[str, Any]:
        """State of the node's WAL archiver (see ARCHIVER)."""
        row: dict[str, Any]
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
        self._cell.runtime.check(self.service, ["asp-backup", "verify", str(self.number)], timeout=deadline)

    def finding(self) -> Mapping[str, Any]:
        """What verifications found: `at`, when it was whole last (epoch seconds, 0: never); `damage` since."""
        return states(self._cell)[self.number].finding

    def _info(self, *options: str) -> list[dict[str, Any]]:
        argv = ["pgbackrest", f"--stanza={self.stanza}", "--output=json", f"--repo={self.number}"]
        answer = self._cell.runtime.check(self.service, [*argv, *QUIET, *options, "info"])
        stanzas: list[dict[str, Any]] = json.loads(answer)
        return stanzas

    def _run(self, command: list[str], seconds: float) -> None:
        began = time.monotonic()
        patience = {LOCKED: seconds, NO_PRIMARY: min(seconds, LEADERLESS_SECONDS)}
        argv = ["pgbackrest", f"--stanza={self.stanza}", *QUIET, *command]
        while True:
            timeout = began + seconds - time.monotonic()
            result = self._cell.runtime.run(self.service, argv, timeout=max(timeout, 1))
            if result.code == 0:
                return
            output = (result.err.strip() or result.out.strip())[-1500:]
            if time.monotonic() - began >= patience.get(result.code, 0):
                raise RuntimeFault(f"{self.service}: pgbackrest {command[-1]} exited with {result.code}: {output}")
            time.sleep(AGAIN_SECONDS)


@dataclass(frozen=True)
class State:
    """One repository as its service knows it: catalogue, what verifications found, and databases as name → oid.

    `inside`: those of the newest backup; `archived`: those that are wholly in WAL that was archived since.
    """

    catalogue: RepositoryReport
    inside: Mapping[str, int]
    archived: Mapping[str, int]
    finding: Mapping[str, Any]

    def covers(self, name: str, oid: int) -> bool:
        """Whether the database can come back as it is now (made again under its name it has another oid)."""
        return oid in (self.inside.get(name), self.archived.get(name))


@dataclass(frozen=True)
class Creation:
    """A database of the cluster: its oid, and when it began to be made (epoch seconds)."""

    oid: int
    at: float


def states(cell: CellSql) -> dict[int, State]:
    """Of both repositories, in one look."""
    answer = json.loads(cell.runtime.check(cell.cell.backup, ["asp-backup", "state"]))
    return {
        int(number): State(
            RepositoryReport.from_info(repository["info"]),
            repository["inside"],
            repository["archived"],
            repository["finding"],
        )
        for number, repository in answer.items()
    }


def ensure_backed_up(cell: CellSql, names: Sequence[str], check: bool) -> Plan:
    """See to it that the databases `names` (`t16054`) can come back: from a backup, or from the WAL that follows it.

    In check mode only says what would be done. BackupFault for a database that does not exist, RuntimeFault when
    pgBackRest or the server refuses.
    """
    outcome = Plan()
    repository, vault = Repository(cell), Repository(cell, VAULT)
    with ThreadPoolExecutor() as pool:  # each is a process in a container
        future = pool.submit(states, cell)
        present, archiver = server(cell, names)
        by_repository = future.result()
    daily, encrypted = by_repository[DAILY], by_repository[VAULT]
    absent = sorted(set(names) - set(present))
    if absent and not check:  # a check of a whole join comes here before the databases exist
        raise BackupFault(f"cell {cell.cell_id}: no database {', '.join(absent)}; run role tenant_database first")
    if NO_STANZA in (daily.catalogue.code, encrypted.catalogue.code):
        outcome.add("stanza", "absent", "present in both repositories, archiving proven")
        if not check:
            repository.create_stanza()
            repository.prove_archiving()
    elif archiver["failing"]:
        outcome.add("WAL archive", f"failing since {archiver['last_failed']}", "archiving proven")
        if not check:
            repository.prove_archiving()
    for each, name in ((repository, "daily"), (vault, "encrypted")):  # later ones come by the schedule
        if not by_repository[each.number].catalogue.newest:
            outcome.add(f"{name} repository", "no backup", "full")
            if not check:
                each.back_up("full")
    newer = {name: database.oid for name, database in present.items() if not daily.covers(name, database.oid)}
    if (absent or newer) and daily.catalogue.newest:  # who joins after it is in the WAL
        outcome.add("newest backup and WAL", f"without {', '.join(sorted([*absent, *newer]))}", "WAL archived")
        if not check:
            archive(cell)
            cell.runtime.check(cell.cell.backup, ["asp-backup", "archived"], stdin=json.dumps(newer))
    for each in (repository, vault):
        if not by_repository[each.number].finding["at"]:  # later on the schedule sees to it, after each full backup
            outcome.add(f"repository {each.number}", "never verified", "verified")
            if not check:
                each.verify()
    return outcome


def server(cell: CellSql, names: Sequence[str]) -> tuple[dict[str, Creation], dict[str, Any]]:
    """Those of the databases that exist, and the state of the WAL archiver (see ARCHIVER)."""
    rows, archiver = cell.rows(CREATIONS % ", ".join(map(literal, names)) + ARCHIVER, role="postgres")
    return {name: Creation(*row) for name, row in rows.items()}, archiver


def archive(cell: CellSql) -> None:
    """Have everything that was written until now in the repositories. RuntimeFault when it does not come there."""
    cell.script(ARCHIVE, role="postgres", timeout=ARCHIVE_SECONDS + 30)
