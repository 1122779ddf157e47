"""How a cell's PostgreSQL is guarded, as its own catalogues tell: what readiness checks and auditors ask.

One script for the server, one for a database; both return plain dictionaries.
"""

from __future__ import annotations

from typing import Any

from centre.reach.psql import CellSql
from stacks.configs.postgres import OWNER
from stacks.configs.sql import literal

# Every rule by which somebody may come in over the network, as the server has read it.
_RULES = """\
SELECT coalesce(json_agg(json_build_object(
    'line', concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), address, auth_method,
                      array_to_string(options, ' ')),
    'type', type, 'database', array_to_string(database, ','), 'user', array_to_string(user_name, ','),
    'method', auth_method, 'error', error,
    -- Opens a tenant's database to somebody who need not be a member of the role named like it.
    'opens_tenants', EXISTS (SELECT FROM unnest(database) d
                             WHERE d IN ('all', 'sameuser', 'samegroup') OR d ~ '^t[0-9]{5}$' OR d LIKE '/%'))), '[]')
  FROM pg_hba_file_rules WHERE type <> 'local' OR type IS NULL"""

_SETTINGS = (
    "ssl", "ssl_min_protocol_version", "data_checksums", "fsync", "full_page_writes", "synchronous_commit",
    "password_encryption", "archive_mode", "archive_timeout", "max_connections",
)  # fmt: skip

SERVER = f"""\
SELECT json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'writable', NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off',
  'settings', (SELECT json_object_agg(name, setting) FROM pg_settings
                 WHERE name IN ({", ".join(literal(name) for name in _SETTINGS)})),
  'checksum_failures', (SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database),
  'network_rules', ({_RULES}),
  'connections_used', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'connections_most', current_setting('max_connections')::int
                        - current_setting('superuser_reserved_connections')::int,
  -- Databases to which everybody may connect. template0 takes no connections at all.
  'public_connect', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database d
                       WHERE datallowconn AND EXISTS (
                         SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))
                           WHERE grantee = 0 AND privilege_type = 'CONNECT')),
  -- Who can connect to each tenant's database: logins that hold the right by whatever way, and groups granted it.
  'connect', (SELECT coalesce(json_object_agg(d.datname, (
                SELECT coalesce(json_agg(r.rolname ORDER BY r.rolname), '[]') FROM pg_roles r
                  WHERE NOT r.rolsuper AND r.rolname NOT IN ({literal(OWNER)}, 'asp_provisioner')
                    AND r.rolname !~ '^pg_' AND has_database_privilege(r.oid, d.oid, 'CONNECT'))), '{{}}')
                FROM pg_database d WHERE d.datname ~ '^t[0-9]{{5}}$'),
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

DATABASE = f"""\
SELECT json_build_object(
  'owner', (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()),
  'foreign_owned', (SELECT coalesce(json_agg(what ORDER BY what), '[]') FROM (
     SELECT n.nspname || '.' || c.relname AS what, c.relnamespace AS place, c.relowner AS owner
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     UNION ALL SELECT p.oid::regprocedure::text, p.pronamespace, p.proowner FROM pg_proc p
     UNION ALL SELECT t.oid::regtype::text, t.typnamespace, t.typowner FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r')
     UNION ALL SELECT n.nspname || ' (schema)', n.oid, n.nspowner FROM pg_namespace n WHERE n.nspname <> 'public'
     ) owned JOIN pg_namespace n ON n.oid = owned.place
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND pg_get_userbyid(owner) <> {literal(OWNER)}),
  'schema_usage', (SELECT coalesce(json_object_agg(role, schemas), '{{}}') FROM (
     SELECT r.rolname AS role, json_agg(n.nspname ORDER BY n.nspname) AS schemas
       FROM pg_roles r, pg_namespace n
       WHERE r.rolname ~ '^t[0-9]{{5}}_' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
         AND has_schema_privilege(r.oid, n.oid, 'USAGE') GROUP BY r.rolname) u),
  -- What each login may do with relations of schemas that are not its own.
  'foreign_rights', (SELECT coalesce(json_object_agg(role, rights), '{{}}') FROM (
     SELECT r.rolname AS role,
            json_agg(n.nspname || '.' || c.relname || ' ' || p ORDER BY n.nspname, c.relname, p) AS rights
       FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
            unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
       WHERE r.rolname ~ '^t[0-9]{{5}}_' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
         AND n.nspname <> split_part(r.rolname, '_', 2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
         AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND has_table_privilege(r.oid, c.oid, p)
       GROUP BY r.rolname) f),
  'versions', (SELECT coalesce(json_object_agg(system, versions), '{{}}')
                 FROM (SELECT system, json_agg(version ORDER BY version) AS versions
                         FROM asp_meta.migrations GROUP BY system) v));
"""


def server(cell: CellSql) -> dict[str, Any]:
    """What SERVER says of the node that takes writes. Times are ISO 8601 with zone, durations seconds."""
    (row,) = cell.rows(SERVER, database="postgres", role="postgres")
    return row


def database(cell: CellSql, name: str) -> dict[str, Any]:
    """What DATABASE says of one database: owner, what others own, rights by role, each system's schema versions."""
    (row,) = cell.rows(DATABASE, database=name, role="postgres")
    return row
