"""One tenant back to a moment: restored beside, compared, exchanged by name; the database that was stays, closed.

Every step is repeated or completed by running it again; `t16054_restoring` bears a comment only when it is whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from centre import moments
from centre.backup import contents
from centre.backup.backups import Repository, archive, server
from centre.backup.scratch import Scratch, restored
from centre.database import apply, reading
from centre.database.migrations import Migration
from centre.database.plan import TenantDatabase
from centre.moments import MomentFault
from centre.reach.pooler import hold_clients
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from centre.reach.transfer import carry
from inventory import paths
from inventory.files import write_whole
from stacks.configs.pgbackrest import DAILY
from stacks.configs.postgres import OWNER
from stacks.configs.sql import identifier, literal

HELD_SECONDS = 60  # for which the pooler may hold a tenant; it sends waiting clients away after query_wait_timeout
KEPT = re.compile(r"(t\d{5})_before_\d{8}t\d{6}(\d{6})?z")


class RestoreFault(Exception):
    """What was asked cannot be restored; the message says what was seen and what is wanted. Nothing was touched."""


@dataclass(frozen=True)
class Aside:
    """A restored database that waits beside its tenant. `changes`: what would differ, a line for each table."""

    tenant: str
    moment: str
    changes: Sequence[str]
    repository: int = DAILY

    @property
    def name(self) -> str:
        return beside(self.tenant)


def beside(tenant: str) -> str:
    """Name of the database in which a tenant waits restored."""
    return f"{tenant}_restoring"


def moment_of(text: str) -> datetime:
    """A moment from `2026-11-23 14:00:00` (Budapest time) or with an offset; RestoreFault otherwise."""
    try:
        return moments.read(text)
    except MomentFault as fault:
        raise RestoreFault(f"target_time: {fault}") from fault


def may_restore(cell: CellSql, tenant: str, moment: datetime, number: int = DAILY) -> None:
    """RestoreFault unless repository `number` can give the tenant at `moment`."""
    now = datetime.now(UTC)
    if moment > now:
        raise RestoreFault(
            f"target_time {moments.describe(moment)} is in the future: wanted one before {moments.describe(now)}"
        )
    repository = Repository(cell, number)
    ended = [
        (datetime.fromtimestamp(backup["timestamp"]["stop"], UTC), backup["label"])
        for backup in repository.catalogue().backups
    ]
    place = f"repository {number} of {repository.stanza}"
    # Each look into a backup takes a command: the last one before the moment mostly answers.
    if any(tenant in repository.databases(label) for stop, label in reversed(ended) if stop <= moment):
        return
    creation = server(cell, [tenant])[0].get(tenant)
    if creation and creation.at < moment.timestamp() and any(stop <= moment for stop, _ in ended):
        return  # younger than the backup, so all of it is in the WAL that follows
    for stop, label in ended:
        if stop > moment and tenant in repository.databases(label):
            raise RestoreFault(
                f"target_time {moments.describe(moment)}: the first backup that contains {tenant} ended at "
                f"{moments.describe(stop)} in {place}; wanted a later moment"
            )
    raise RestoreFault(f"{place}: no backup contains {tenant}; wanted one. Has it ever joined?")


def waiting(cell: CellSql, tenant: str) -> Aside | None:
    """The whole restored database that waits beside the tenant, if there is one."""
    row = reading.databases(cell).get(beside(tenant))
    if not row or not row["comment"]:
        return None
    return Aside(**json.loads(row["comment"]))


def former_databases(cell: CellSql, tenant: str) -> list[str]:
    """Databases that restores have put aside, oldest first."""
    matches = (KEPT.fullmatch(name) for name in reading.databases(cell))
    return sorted(match[0] for match in matches if match and match[1] == tenant)


def put_aside(cell: CellSql, tenant: str, moment: datetime, number: int = DAILY) -> Aside:
    """Restore the tenant as it was at `moment`, out of repository `number`, into a database beside it, and compare.

    RuntimeFault when it differs. One that already waits is made anew unless it is of that moment and repository.
    """
    aside = waiting(cell, tenant)
    if aside and (aside.moment, aside.repository) == (moment.isoformat(), number):
        return aside
    archive_up_to_now(cell)
    present = reading.connectable([tenant], reading.databases(cell))
    incoming = beside(tenant)
    with ThreadPoolExecutor() as pool:  # each reads or loads in a process of its own: two servers work for one restore
        with restored(cell, tenant, moment, repository=number) as scratch:
            reading_copy = pool.submit(contents.read, scratch.script)
            comparing = pool.submit(_contents, cell, tenant) if present else None
            _load(cell, scratch)
            at_moment, current = reading_copy.result(), comparing.result() if comparing else {}
        analyzing = pool.submit(cell.script, "ANALYZE;", incoming, "postgres")
        loaded = _contents(cell, incoming)
        analyzing.result()
    if wrong := contents.differences(at_moment, loaded):
        raise RuntimeFault(f"{incoming} is not what the backup held: {'; '.join(map(str, wrong))}")
    changes = [str(change) for change in contents.differences(current, at_moment, sequences=False)]
    aside = Aside(tenant, moment.isoformat(), changes, number)
    name = identifier(incoming)
    note = literal(json.dumps(asdict(aside), ensure_ascii=False))
    cell.script(
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;\nCOMMENT ON DATABASE {name} IS {note};", role="postgres"
    )
    return aside


def exchange(cell: CellSql, tenant: TenantDatabase, incoming: str, migrations: Sequence[Migration]) -> str:
    """Give the tenant's name to `incoming` while the pooler holds its clients; the name under which the old one stays.

    Roles, rights, caps and schema versions are then as a join makes them. Another writer of the cell's tenants is
    waited for first: while the clients are held there is no time for that.
    """
    old = None
    try:
        with cell.lock(), hold_clients(cell.runtime, cell.cell.proxy, HELD_SECONDS, database=tenant.name):
            old = rename(cell, tenant, incoming, migrations)
    except RuntimeFault as fault:
        if old is None:
            raise
        raise RuntimeFault(
            f"{tenant.name} is exchanged, but its clients were let go before that was done, and may have seen errors: "
            f"{fault}. Wanted: held for less than {HELD_SECONDS} s. Find out what was slow"
        ) from fault
    return old


def rename(cell: CellSql, tenant: TenantDatabase, incoming: str, migrations: Sequence[Migration]) -> str:
    """What `exchange` does while the clients are held."""
    name, old = tenant.name, f"{tenant.name}_before_{datetime.now(UTC):%Y%m%dt%H%M%S%fz}"
    exists = name in reading.databases(cell)
    away = f"ALTER DATABASE {identifier(name)} RENAME TO {identifier(old)};\n" if exists else ""
    close = f"ALTER DATABASE {identifier(old)} ALLOW_CONNECTIONS false;\n" if exists else ""
    ended = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = {literal(name)};\n"
    renamed = f"BEGIN;\n{away}{close}ALTER DATABASE {identifier(incoming)} RENAME TO {identifier(name)};\nCOMMIT;\n"
    opened = f"ALTER DATABASE {identifier(name)} ALLOW_CONNECTIONS true;\n"
    cell.script(ended + renamed + opened, role="postgres")
    apply.ensure_present(cell, [tenant], migrations, check=False)
    return old if exists else ""


def forget(cell: CellSql, name: str) -> None:
    """Drop a database that a restore has put aside, for good."""
    cell.script(f"DROP DATABASE {identifier(name)} WITH (FORCE);", role="postgres")


def report(env: str, aside: Aside, old: str) -> Path:
    """Write what a restore changed, table by table, beside the environment's other records; the file."""
    stamp = re.sub(r"[^0-9]", "", aside.moment)[:14]
    file = paths.environment_dir(env) / "restores" / f"{aside.tenant}-{stamp}.json"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    record = asdict(aside) | {"kept": old, "restored_at": datetime.now(UTC).isoformat(timespec="seconds")}
    write_whole(file, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return file


def archive_up_to_now(cell: CellSql) -> None:
    """Replay ends at the first transaction after the target, so there must be one, and it must be in the archive."""
    cell.script("SELECT pg_current_xact_id();")
    archive(cell)


def _contents(cell: CellSql, database: str) -> contents.Contents:
    return contents.read(lambda sql: cell.script(sql, database, "postgres"))


def _load(cell: CellSql, scratch: Scratch) -> None:
    incoming = beside(scratch.database)
    name = identifier(incoming)
    cell.script(
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\n"
        f"CREATE DATABASE {name} OWNER {identifier(OWNER)} TEMPLATE template0 STRATEGY WAL_LOG;\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n",
        role="postgres",
    )
    dump = ["pg_dump", "--host=/tmp", "--username=postgres", "--format=custom", "--compress=none", scratch.database]
    load = ["pg_restore", "--username=postgres", "--exit-on-error", "--single-transaction", f"--dbname={incoming}"]
    carry(scratch.container, dump, cell.runtime.container(cell.node), load)
