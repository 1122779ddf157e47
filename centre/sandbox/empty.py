"""A sandbox municipality emptied: a fresh clone of the template takes its tenant's name; who learned what goes along.

Until the exchange nothing of the tenant is touched, and what an interrupted run left is thrown away by the next.
"""

from __future__ import annotations

from docker.models.containers import Container

from centre.backup import contents, restore
from centre.reach.psql import CellSql
from centre.reach.transfer import carry
from stacks.configs.postgres import OWNER, TEMPLATE
from stacks.configs.sql import identifier

LEARNED = "training"  # the one schema whose rows stay: passed exercises and certificates
STAYING = (f"{LEARNED}.", "asp_meta.")


def would_go(cell: CellSql, tenant: str) -> list[str]:
    """What emptying the tenant would undo: a line for each table that is not as in the template, and for each database
    that was put aside."""

    def read(database: str) -> contents.Contents:
        return contents.read(lambda sql: cell.script(sql, database, "postgres"))

    changed = contents.differences(read(tenant), read(TEMPLATE), sequences=False)
    lines = [str(change) for change in changed if not change.name.startswith(STAYING)]
    return lines + [f"database {name}: dropped" for name in restore.former_databases(cell, tenant)]


def prepare(cell: CellSql, tenant: str, node: Container) -> str:
    """Make the empty database beside the tenant, with what was learned in it; its name. `node`: takes the writes."""
    incoming = f"{tenant}_refilling"
    name = identifier(incoming)
    cell.script(
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\n"
        f"CREATE DATABASE {name} OWNER {identifier(OWNER)} TEMPLATE {identifier(TEMPLATE)} STRATEGY WAL_LOG;\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n",
        role="postgres",
    )
    give = ["pg_dump", "--username=postgres", "--format=custom", "--data-only", f"--schema={LEARNED}", tenant]
    take = ["pg_restore", "--username=postgres", "--exit-on-error", "--single-transaction", f"--dbname={incoming}"]
    carry(node, give, node, take)
    return incoming


def forget(cell: CellSql, tenant: str) -> list[str]:
    """Drop every database of the tenant that was put aside, by this run or one before; their names."""
    names = restore.former_databases(cell, tenant)
    for name in names:
        restore.forget(cell, name)
    return names
