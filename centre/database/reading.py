"""What a cell's PostgreSQL holds, read from its catalogues: databases, roles, rights. Used by roles and by checks.

Everything is read in two scripts whatever the number of tenants: one for what the cluster shares, one that visits
databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from centre.isolation.reading import DATABASE_ACL, GRANTEE, POWERS, SEQUENCE_RIGHTS, TABLE_RIGHTS
from centre.reach.psql import CellSql
from stacks.configs.postgres import OPEN_SQL, OWNER
from stacks.configs.sql import identifier, literal

FACTS_SCHEMA = "chain"  # its comment holds the municipality's facts: unlike a database's, no other database shows it

# What the whole cluster shares, as one JSON object. `acl`: [grantee, privilege] pairs defaults included; `%s`: of
# whom the roles are.
SHARED = f"""\
SELECT json_build_object(
  'databases', (SELECT json_object_agg(d.datname, json_build_object(
      'oid', d.oid::bigint,
      'owner', pg_get_userbyid(d.datdba),
      'open', d.datallowconn,
      'broken', d.datconnlimit = -2,
      'limit', d.datconnlimit,
      'comment', shobj_description(d.oid, 'pg_database'),
      'acl', (SELECT coalesce(json_agg(json_build_array({GRANTEE}, privilege_type)), '[]') FROM {DATABASE_ACL})))
    FROM pg_database d WHERE d.datname NOT IN ('template0', 'template1')),
  'roles', (SELECT coalesce(json_object_agg(r.rolname, json_build_object(
      'login', r.rolcanlogin,
      'powers', {POWERS},
      'limit', r.rolconnlimit,
      'verifier', CASE WHEN r.rolcanlogin THEN (SELECT passwd FROM pgb.get_auth(r.rolname)) END,
      'settings', (SELECT coalesce(json_agg(s.setting), '[]') FROM pg_db_role_setting x, unnest(x.setconfig) s(setting)
                     WHERE x.setrole = r.oid AND x.setdatabase = 0),
      'settings_in', (SELECT coalesce(json_agg(y.datname), '[]') FROM pg_db_role_setting x
                        JOIN pg_database y ON y.oid = x.setdatabase WHERE x.setrole = r.oid),
      'member_of', (SELECT coalesce(json_agg(json_build_array(g.rolname, m.inherit_option, m.set_option)), '[]')
                      FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid))), '{{}}')
    FROM pg_roles r WHERE r.rolname ~ '^t[0-9]{{5}}(_|$)' AND %s));
"""

# Rights that anybody but the owner has on schemas, tables, sequences, functions and as defaults; not what PostgreSQL
# gives everybody on a function that nobody spoke of.
PRESENT_RIGHTS = """\
  SELECT 'schema' AS kind, n.nspname::text AS schema, '' AS object, a.grantee, a.privilege_type AS privilege
    FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE a.grantee <> n.nspowner AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname, a.grantee, a.privilege_type
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    WHERE a.grantee <> c.relowner AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'function', n.nspname, p.proname || '(' || oidvectortypes(p.proargtypes) || ')', a.grantee,
         a.privilege_type
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) a
    WHERE a.grantee <> p.proowner AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'default', n.nspname, d.defaclobjtype::text, a.grantee, a.privilege_type
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
    WHERE a.grantee <> d.defaclrole
"""


@dataclass(frozen=True)
class Share:
    """Rights of a login on one object of a schema that is not its own: a table of the chain, another system's view, or
    its function, with the types of what it takes: `balance_of(text)`."""

    login: str
    schema: str
    object: str
    rights: tuple[str, ...] = ("SELECT",)


@dataclass(frozen=True)
class Shared:
    """What `SHARED` gave: databases and tenant roles by name."""

    databases: Mapping[str, Mapping[str, Any]]
    roles: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Inside:
    """What one database holds: applied (system, version) pairs, rights that are missing and ones nobody asked for,
    what the municipality's systems are told of it, and what of the server is `open` to everybody and should not be.

    Rights are (kind, schema, object, role, privilege); kind is schema, table, sequence, function or
    default.
    """

    migrations: frozenset[tuple[str, str]] = frozenset()
    missing: frozenset[tuple[str, ...]] = frozenset()
    extra: frozenset[tuple[str, ...]] = frozenset()
    foreign: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    facts: str | None = None


def shared(cell: CellSql, tenants: Iterable[str] | None = None) -> Shared:
    """Databases of the cell and the roles of `tenants`: of all by default, which are thousands in a full cell."""
    condition = (
        "true" if tenants is None else f"split_part(r.rolname, '_', 1) = ANY ({_array(sorted(tenants))}::text[])"
    )
    (row,) = cell.rows(SHARED % condition)
    return Shared(row["databases"], row["roles"])


def databases(cell: CellSql) -> Mapping[str, Mapping[str, Any]]:
    """Databases of the cell by name, as in `Shared`."""
    return shared(cell, []).databases


def inside(
    cell: CellSql,
    roles_by_database: Mapping[str, Mapping[str, str]],
    shares: Mapping[str, Sequence[Share]] | None = None,
) -> dict[str, Inside]:
    """What databases hold, measured against their roles (database → role → its schema) and `shares`."""
    if not roles_by_database:
        return {}
    script = "".join(
        f"\\connect {identifier(database)}\n{_inside_sql(roles, (shares or {}).get(database, ()))}"
        for database, roles in roles_by_database.items()
    )
    return {row["database"]: _inside(row) for row in cell.rows(script)}


def _inside(row: Mapping[str, Any]) -> Inside:
    return Inside(
        migrations=frozenset((system, version) for system, version in row["migrations"]),
        missing=frozenset(tuple(right) for right in row["missing"]),
        extra=frozenset(tuple(right) for right in row["extra"]),
        foreign=frozenset(row["foreign"]),
        open=frozenset(row["open"]),
        facts=row["facts"],
    )


def _inside_sql(roles: Mapping[str, str], shares: Sequence[Share]) -> str:
    role_rows = _values(sorted(roles.items()), 2)
    share_rows = _values([(s.login, s.schema, s.object, right) for s in shares for right in s.rights], 4)
    table_rights = _array(TABLE_RIGHTS)
    sequence_rights = _array(SEQUENCE_RIGHTS)
    return f"""\
WITH asked(role, schema) AS ({role_rows}),
given(role, schema, object, privilege) AS ({share_rows}),
relations AS (
  SELECT a.role, a.schema, c.relname::text AS object, c.relkind
    FROM asked a JOIN pg_namespace n ON n.nspname = a.schema JOIN pg_class c ON c.relnamespace = n.oid),
wanted(kind, schema, object, role, privilege) AS (
  SELECT 'schema', schema, '', role, 'USAGE' FROM asked
  UNION ALL SELECT 'table', schema, object, role, p FROM relations, unnest({table_rights}) p
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL SELECT 'sequence', schema, object, role, p FROM relations, unnest({sequence_rights}) p WHERE relkind = 'S'
  UNION ALL SELECT 'default', schema, 'r', role, p FROM asked, unnest({table_rights}) p
  UNION ALL SELECT 'default', schema, 'S', role, p FROM asked, unnest({sequence_rights}) p
  UNION ALL SELECT 'schema', schema, '', role, 'USAGE' FROM given
  UNION ALL SELECT CASE WHEN object LIKE '%)' THEN 'function' ELSE 'table' END, schema, object, role, privilege
    FROM given),
present AS (
  SELECT kind, coalesce(schema, ''), object,
         {GRANTEE}, privilege
    FROM ({PRESENT_RIGHTS}) rights)
SELECT json_build_object(
  'database', current_database(),
  'migrations', (SELECT coalesce(json_agg(json_build_array(system, version)), '[]') FROM asp_meta.migrations),
  'missing', (SELECT coalesce(json_agg(json_build_array(kind, schema, object, role, privilege)), '[]')
                FROM (SELECT * FROM wanted EXCEPT SELECT * FROM present) m),
  'extra', (SELECT coalesce(json_agg(json_build_array(kind, schema, object, role, privilege)), '[]') FROM (
              SELECT * FROM present EXCEPT SELECT * FROM wanted) x(kind, schema, object, role, privilege)),
  'open', (SELECT coalesce(json_agg(name), '[]') FROM (
{OPEN_SQL}) open_to_everybody),
  'facts', obj_description(to_regnamespace({literal(FACTS_SCHEMA)}), 'pg_namespace'),
  'foreign', (SELECT coalesce(json_agg(n.nspname || '.' || c.relname), '[]')
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                  AND pg_get_userbyid(c.relowner) <> {literal(OWNER)}));
"""


def _values(rows: Sequence[tuple[str, ...]], width: int) -> str:
    """`VALUES` of text rows, also of none."""
    if not rows:
        return f"SELECT {', '.join(['NULL::text'] * width)} WHERE false"
    return "VALUES " + ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)


def _array(values: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join(literal(value) for value in values) + "]"


def connectable(candidates: Iterable[str], present: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those `candidates` that are among the databases `present`, whole and open for connections."""
    return [name for name in candidates if (row := present.get(name)) and row["open"] and not row["broken"]]
