"""A PostgreSQL cluster as its own catalogues tell it. Read by the superuser over the container's local socket."""

from __future__ import annotations

import json
import re

from stacks.cell.psql import PSQL
from stacks.components.postgres import AUTH_DATABASE, TEMPLATE
from stacks.runtime import Runtime, RuntimeFault, Unreachable

SECONDS = 20
TENANT = re.compile(r"t\d{5}")
GUARD = "SET statement_timeout = '10s';\n"

CLUSTER = """\
SELECT json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'read_only', current_setting('transaction_read_only') = 'on',
  'settings', (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN
     ('ssl', 'data_checksums', 'fsync', 'full_page_writes', 'synchronous_commit', 'ssl_min_protocol_version')),
  'checksum_failures', (SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database),
  'rules', (SELECT coalesce(json_agg(json_build_object('number', line_number, 'type', type, 'database', database,
      'user', user_name, 'address', address, 'method', auth_method, 'options', options, 'error', error)
      ORDER BY line_number), '[]') FROM pg_hba_file_rules),
  'databases', (SELECT json_agg(json_build_object('name', d.datname, 'open', d.datallowconn, 'connect',
      (SELECT coalesce(json_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END), '[]')
         FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))
        WHERE privilege_type = 'CONNECT' AND grantee <> d.datdba))) FROM pg_database d),
  'connections_used', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'connections_most', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int);
"""

# A commit that is logged is a write that a crash keeps; the message itself means nothing and stays nowhere.
WRITE = "SELECT json_build_object('written', pg_logical_emit_message(true, 'asp-checks', '')::text);"

ARCHIVE = """\
SELECT json_build_object(
  'mode', current_setting('archive_mode'),
  'timeout_seconds', (SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout'),
  'oldest_waiting_seconds', (SELECT coalesce(extract(epoch FROM max(now() - modification)), 0)
      FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),
  'last_archived', last_archived_time, 'last_failed', last_failed_time, 'failures', failed_count)
FROM pg_stat_archiver;
"""


def ask(runtime: Runtime, service: str, sql: str, database: str = "postgres") -> dict:
    """The one JSON object that a query gives. RuntimeFault with PostgreSQL's own words otherwise."""
    argv = [*PSQL, "--username=postgres", f"--dbname={database}", "--file=-"]
    return json.loads(runtime.check(service, argv, stdin=GUARD + sql, timeout=SECONDS))


def cluster(runtime: Runtime, service: str) -> dict:
    """Section `database`: can it write, how is it protected, who may connect to what."""
    seen = ask(runtime, service, CLUSTER)
    rules = [rule for rule in seen["rules"] if rule["type"] != "local"]
    databases = seen["databases"]
    return {
        "node": service,
        **{key: seen[key] for key in ("in_recovery", "settings", "checksum_failures", "connections_used")},
        "connections_most": seen["connections_most"],
        **writable(runtime, service, seen),
        "plain_rules": [_line(rule) for rule in rules if rule["type"] != "hostssl" and rule["method"] != "reject"],
        "network_rules": [_rule(rule) for rule in rules],
        "public_connect": sorted(item["name"] for item in databases if item["open"] and "PUBLIC" in item["connect"]),
        "connect": {item["name"]: sorted(item["connect"]) for item in databases if TENANT.fullmatch(item["name"])},
    }


def writable(runtime: Runtime, service: str, seen: dict | None = None) -> dict:
    """Whether a write is accepted now, and PostgreSQL's words when it is not."""
    seen = seen or ask(runtime, service, CLUSTER)
    if seen["in_recovery"] or seen["read_only"]:
        return {"in_recovery": seen["in_recovery"], "writable": False, "write_refusal": "read only"}
    try:
        ask(runtime, service, WRITE)
    except Unreachable:
        raise
    except RuntimeFault as error:
        return {"in_recovery": seen["in_recovery"], "writable": False, "write_refusal": str(error)}
    return {"in_recovery": seen["in_recovery"], "writable": True, "write_refusal": ""}


def archive(runtime: Runtime, service: str) -> dict:
    """Section `archive`: does WAL leave the node in time."""
    return ask(runtime, service, ARCHIVE)


def _rule(rule: dict) -> dict:
    """A network rule of pg_hba.conf, and whether it lets anybody into a tenant's database without being a member."""
    opens = any(
        name == "all" or name.startswith("/") or name in ("sameuser", TEMPLATE) or TENANT.fullmatch(name)
        for name in rule["database"]
    )
    return {
        "line": _line(rule),
        "database": ",".join(rule["database"]),
        "method": rule["method"],
        "opens_tenants": opens and AUTH_DATABASE not in rule["database"],
    }


def _line(rule: dict) -> str:
    if rule["error"]:
        raise ValueError(f"pg_hba.conf line {rule['number']}: {rule['error']}")
    parts = [rule["type"], ",".join(rule["database"]), ",".join(rule["user"]), rule["address"] or "", rule["method"]]
    return " ".join([*parts, *(rule["options"] or [])])
