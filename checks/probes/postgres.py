"""A PostgreSQL cluster: how its server is set, who may come in, and whether it takes a write now."""

from __future__ import annotations

import json
from typing import Any

from centre.isolation import audit, reading
from centre.isolation.reach import opens_tenants
from centre.reach.psql import PSQL, CellSql
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from stacks.configs.sql import literal

SECONDS = 20

_SETTINGS = (
    "ssl", "ssl_min_protocol_version", "data_checksums", "fsync", "full_page_writes", "synchronous_commit",
    "password_encryption", "archive_mode", "archive_timeout", "max_connections",
)  # fmt: skip

SERVER = f"""\
SELECT json_build_object(
  'settings', (SELECT json_object_agg(name, setting) FROM pg_settings
                 WHERE name IN ({", ".join(literal(name) for name in _SETTINGS)})),
  'checksum_failures', (SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database),
  'connections_used', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'connections_most', current_setting('max_connections')::int
                        - current_setting('superuser_reserved_connections')::int,
  -- Who copies the whole cluster now; without a certificate's name on it, by the name that it gives itself.
  'standbys', (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'sync', sync_state)
                                        ORDER BY application_name), '[]') FROM pg_stat_replication),
  'archive', json_build_object(
    'waiting', (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),
    'oldest_waiting_seconds', (SELECT coalesce(extract(epoch FROM now() - min(modification)), 0)
                                 FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),
    'last_archived', (SELECT last_archived_time FROM pg_stat_archiver),
    'last_failed', (SELECT last_failed_time FROM pg_stat_archiver)));
"""

# A commit that is logged is a write that a crash keeps; the message itself means nothing and stays nowhere.
WRITE = """\
SET statement_timeout = '10s';
SELECT json_build_object('in_recovery', pg_is_in_recovery(), 'writable',
  CASE WHEN NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
       THEN pg_logical_emit_message(true, 'asp-checks', '') IS NOT NULL ELSE false END);
"""


def cluster(cell: CellSql) -> dict[str, Any]:
    """Sections `database` and `archive`: can it write, how is it protected, who may connect, does WAL leave in time."""
    (row,) = cell.rows(SERVER, database="postgres", role="postgres", timeout=SECONDS)
    archive, settings = row.pop("archive"), row["settings"]
    return {
        "database": {
            **row,
            **writable(cell.runtime, cell.node),
            **doors(reading.cluster(cell, timeout=SECONDS)),
            "node": cell.node,
        },
        "archive": {
            **archive,
            "mode": settings["archive_mode"],
            "timeout_seconds": int(settings["archive_timeout"]),
        },
    }


def doors(state: reading.Cluster) -> dict[str, Any]:
    """Who may come in over the network, and into which database. ValueError when a rule cannot be read."""
    network = [door for door in state.doors if door.type != "local"]
    if faulty := [door.error for door in network if door.error]:
        raise ValueError(f"pg_hba.conf: {'; '.join(faulty)}")
    entry = audit.entry(state)
    return {
        "network_rules": [
            {
                "line": door.line,
                "database": ",".join(door.databases),
                "method": door.method,
                "opens_tenants": opens_tenants(door),
            }
            for door in network
        ],
        "plain_rules": [door.line for door in network if door.type != "hostssl" and door.method != "reject"],
        "public_connect": list(entry.everybody),
        "connect": {database: list(roles) for database, roles in entry.connect.items()},
    }


def writable(runtime: Runtime, service: str) -> dict[str, Any]:
    """Whether a write is accepted now, and PostgreSQL's words when it is not."""
    argv = [*PSQL, "--username=postgres", "--dbname=postgres", "--file=-"]
    try:
        answer = json.loads(runtime.check(service, argv, stdin=WRITE, timeout=SECONDS))
    except Unreachable:
        raise
    except RuntimeFault as error:
        return {"in_recovery": False, "writable": False, "write_refusal": str(error)}
    return {**answer, "write_refusal": "" if answer["writable"] else "read only"}
