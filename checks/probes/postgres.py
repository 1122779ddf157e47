"""A PostgreSQL cluster: what its catalogues tell (centre/isolation/audit.py), and whether it takes a write now."""

from __future__ import annotations

import json

from centre.isolation import audit
from centre.reach.psql import PSQL, CellSql
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable

SECONDS = 20

# A commit that is logged is a write that a crash keeps; the message itself means nothing and stays nowhere.
WRITE = """\
SET statement_timeout = '10s';
SELECT json_build_object('in_recovery', pg_is_in_recovery(), 'writable',
  CASE WHEN NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
       THEN pg_logical_emit_message(true, 'asp-checks', '') IS NOT NULL ELSE false END);
"""


def cluster(cell: CellSql) -> dict:
    """Sections `database` and `archive`: can it write, how is it protected, who may connect, does WAL leave in time."""
    seen = audit.server(cell)
    archive, settings = seen.pop("archive"), seen["settings"]
    faulty = [rule["error"] for rule in seen["network_rules"] if rule["error"]]
    if faulty:
        raise ValueError(f"pg_hba.conf: {'; '.join(faulty)}")
    plain = [r["line"] for r in seen["network_rules"] if r["type"] != "hostssl" and r["method"] != "reject"]
    return {
        "database": {**seen, **writable(cell.runtime, cell.node), "node": cell.node, "plain_rules": plain},
        "archive": {
            **archive,
            "mode": settings["archive_mode"],
            "timeout_seconds": int(settings["archive_timeout"]),
        },
    }


def writable(runtime: Runtime, service: str) -> dict:
    """Whether a write is accepted now, and PostgreSQL's words when it is not."""
    argv = [*PSQL, "--username=postgres", "--dbname=postgres", "--file=-"]
    try:
        seen = json.loads(runtime.check(service, argv, stdin=WRITE, timeout=SECONDS))
    except Unreachable:
        raise
    except RuntimeFault as error:
        return {"in_recovery": False, "writable": False, "write_refusal": str(error)}
    return {**seen, "write_refusal": "" if seen["writable"] else "read only"}
