"""Trying to sign in to PostgreSQL as a tenant's role, from where app servers' connections come: proof by doing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

from centre.reach.psql import CellSql
from inventory.names import Port
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE

Way = Literal["pooled", "direct"]

# Who came in.
_WHO = "SELECT current_user, current_database()"


@dataclass(frozen=True)
class Attempt:
    """How a sign-in went: the user and database that PostgreSQL saw (empty when refused), and its message."""

    role: str
    user: str
    database: str
    message: str


def sign_in(
    cell: CellSql, database: str, role: str, password: str, way: Way = "pooled", sql: str = "", timeout: float = 30
) -> Attempt:
    """One attempt, from inside the proxy's container: through PgBouncer, or `direct` to the node past it.

    `sql` runs after the question who we are; its failure is the attempt's message too. Unreachable when the proxy is.
    """
    host, port = (cell.cell.proxy, Port.POOLER) if way == "pooled" else (cell.node, Port.POSTGRES)
    target = (
        f"host={host} port={port.value} dbname={database} user={role} connect_timeout=10 "
        f"sslmode=verify-full sslrootcert={ROOT_FILE} sslcert={CERTIFICATE_FILE} sslkey={KEY_FILE}"
    )
    commands = " ".join(f"-c {shlex.quote(command)}" for command in (_WHO, sql) if command)
    psql = f"psql -XAtw -v ON_ERROR_STOP=1 {commands} {shlex.quote(target)}"
    script = f"read -r PGPASSWORD; export PGPASSWORD; exec {psql}"
    result = cell.runtime.run(cell.cell.proxy, ["bash", "-c", script], stdin=f"{password}\n", timeout=timeout)
    answer = (result.out.splitlines() or [""])[0].split("|")
    if len(answer) != 2:  # refused; or the container went away and Docker says so on standard output
        return Attempt(role, "", "", (result.err + result.out).strip())
    user, session_database = answer
    return Attempt(role, user, session_database, result.err.strip())
