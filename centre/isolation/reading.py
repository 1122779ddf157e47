"""The one reading of who may reach what: roles, memberships, databases, doors, objects and every right on them.

Two scripts whatever the number of tenants: one for what the cluster shares, one that visits databases. What is asked of
the reading stands in `matrix`, `findings` and `audit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from centre.reach.psql import CellSql
from stacks.configs.postgres import OPEN_SQL, TEMPLATE
from stacks.configs.sql import identifier, literal

PUBLIC = "PUBLIC"
TABLE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
SEQUENCE_RIGHTS = ("SELECT", "USAGE")

# Fragments of SQL that whoever reads rights shares. `grantee` is an oid of aclexplode, `r` a row of pg_roles, `d` one
# of pg_database.
GRANTEE = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END"
POWERS = """array_remove(ARRAY[
      CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
      CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
      CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL)"""
DATABASE_ACL = "aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))"

CLUSTER = f"""\
SELECT json_build_object(
  'roles', (SELECT json_agg(json_build_array(r.rolname, r.rolcanlogin, {POWERS})) FROM pg_roles r
    WHERE r.rolname !~ '^pg_'),
  'members', (SELECT coalesce(json_agg(json_build_array(m.rolname, g.rolname,
      x.admin_option, x.inherit_option, x.set_option)), '[]')
    FROM pg_auth_members x JOIN pg_roles m ON m.oid = x.member JOIN pg_roles g ON g.oid = x.roleid
    WHERE m.rolname !~ '^pg_'),
  'same_password', (SELECT coalesce(json_agg(names), '[]') FROM (SELECT json_agg(rolname ORDER BY rolname) AS names
    FROM pg_authid WHERE rolpassword IS NOT NULL GROUP BY rolpassword HAVING count(*) > 1) s),
  'databases', (SELECT json_agg(json_build_array(d.datname, pg_get_userbyid(d.datdba), d.datistemplate, d.datallowconn,
      (SELECT coalesce(json_agg(json_build_array({GRANTEE}, privilege_type, is_grantable)), '[]') FROM {DATABASE_ACL})))
    FROM pg_database d),
  'doors', (SELECT coalesce(json_agg(json_build_array(type, coalesce(database, '{{}}'), coalesce(user_name, '{{}}'),
      coalesce(address, ''), auth_method, coalesce(options, '{{}}'), coalesce(error, ''))), '[]')
    FROM pg_hba_file_rules),
  'maps', (SELECT coalesce(json_agg(json_build_array(map_name, sys_name, pg_username)), '[]')
    FROM pg_ident_file_mappings),
  'settings', (SELECT coalesce(json_agg(json_build_array(d.datname, coalesce(r.rolname, ''), setting)), '[]')
    FROM pg_db_role_setting x JOIN pg_database d ON d.oid = x.setdatabase LEFT JOIN pg_roles r ON r.oid = x.setrole,
         unnest(x.setconfig) setting),
  'parameters', (SELECT coalesce(json_agg(json_build_array(parname, pg_get_userbyid(grantee), privilege_type)), '[]')
    FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 10),
  'tablespaces', (SELECT coalesce(json_agg(json_build_array(spcname, pg_get_userbyid(spcowner))), '[]')
    FROM pg_tablespace WHERE spcowner <> 10 OR oid >= 16384));
"""

# What a database holds beyond PostgreSQL's own, [kind, name, owner, detail], and every right on anything of it that
# initdb did not give, [kind, schema, name, grantee, privilege]. A clone keeps its template's object numbers and texts.
CONTENTS = f"""\
SET search_path = pg_catalog;
WITH objects(kind, name, owner, detail) AS (
  SELECT 'schema', nspname::text, nspowner, '' FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_(temp|toast)'
  UNION ALL SELECT 'relation', c.oid::regclass::text, relowner, concat_ws(' ', relkind::text, relrowsecurity,
      relforcerowsecurity, reloptions::text, CASE WHEN relkind IN ('v', 'm') THEN md5(pg_get_viewdef(c.oid)) END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE c.oid >= 16384 AND nspname !~ '^pg_(temp|toast)' AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  UNION ALL SELECT 'function', oid::regprocedure::text, proowner,
      concat_ws(' ', prosecdef, prolang, proconfig::text, has_function_privilege('public', oid, 'EXECUTE'),
        md5(concat(prosrc, prosqlbody::text)))
    FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT 'policy', polrelid::regclass || '.' || polname, 0, md5(concat_ws(' ', polcmd, polpermissive,
      polroles::text, pg_get_expr(polqual, polrelid), '/', pg_get_expr(polwithcheck, polrelid))) FROM pg_policy
  UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, 0, md5(pg_get_triggerdef(oid)) || tgenabled::text
    FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'rule', ev_class::regclass || '.' || rulename, 0, md5(pg_get_ruledef(oid)) || ev_enabled::text
    FROM pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN'
  UNION ALL SELECT 'type', oid::regtype::text, typowner, typtype::text FROM pg_type
    WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r')
  UNION ALL SELECT 'extension', extname, extowner, extversion FROM pg_extension WHERE oid >= 16384
  UNION ALL SELECT 'language', lanname, lanowner, lanpltrusted::text FROM pg_language WHERE oid >= 16384
  UNION ALL SELECT 'foreign-data wrapper', fdwname, fdwowner, '' FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'foreign server', srvname, srvowner, srvoptions::text FROM pg_foreign_server
  UNION ALL SELECT 'user mapping', srvname || ' ' || usename, 0, '' FROM pg_user_mappings
  UNION ALL SELECT 'publication', pubname, pubowner, puballtables::text FROM pg_publication
  UNION ALL SELECT 'subscription', subname, subowner, subenabled::text FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT 'event trigger', evtname, evtowner, evtenabled::text FROM pg_event_trigger
  UNION ALL SELECT 'cast', castsource::regtype || ' to ' || casttarget::regtype, 0, castfunc::regprocedure::text
    FROM pg_cast WHERE oid >= 16384
  UNION ALL SELECT 'operator', oid::regoperator::text, oprowner, oprcode::text FROM pg_operator WHERE oid >= 16384
  UNION ALL SELECT 'large object', oid::text, lomowner, '' FROM pg_largeobject_metadata),
acls(class, oid, sub, kind, schema, name, owner, acl) AS (
  SELECT 'pg_namespace'::regclass, oid, 0, 'schema', nspname::text, '', nspowner, nspacl FROM pg_namespace
  UNION ALL SELECT 'pg_class'::regclass, c.oid, 0, 'relation', nspname, relname, relowner, relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, 'column', nspname, relname || '.' || attname, relowner,
      attacl FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attacl IS NOT NULL
  UNION ALL SELECT 'pg_proc'::regclass, p.oid, 0, 'function', nspname, p.oid::regprocedure::text, proowner, proacl
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE proacl IS NOT NULL
  UNION ALL SELECT 'pg_type'::regclass, t.oid, 0, 'type', nspname, typname, typowner, typacl
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typacl IS NOT NULL
  UNION ALL SELECT 'pg_language'::regclass, oid, 0, 'language', '', lanname, lanowner, lanacl FROM pg_language
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, 'foreign-data wrapper', '', fdwname, fdwowner, fdwacl
    FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, 'foreign server', '', srvname, srvowner, srvacl
    FROM pg_foreign_server
  UNION ALL SELECT 'pg_largeobject'::regclass, oid, 0, 'large object', '', oid::text, lomowner, lomacl
    FROM pg_largeobject_metadata
  UNION ALL SELECT 'pg_default_acl'::regclass, d.oid, 0, 'default', coalesce(nspname, ''), defaclobjtype::text,
      defaclrole, defaclacl FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = defaclnamespace),
rights(kind, schema, name, grantee, privilege) AS (
  SELECT kind, schema, name, {GRANTEE}, privilege_type
    FROM acls, aclexplode(acl) a
    WHERE grantee <> owner AND schema !~ '^pg_(temp|toast)'
      -- initdb's own rights: recorded, but for what information_schema shows everybody about themselves
      AND NOT (schema = 'information_schema' AND grantee = 0 AND oid < 16384 AND privilege_type IN ('SELECT', 'USAGE'))
      -- PostgreSQL's own defaults, spelled out once anything else was granted: whoever may not make objects has no use
      AND NOT (grantee = 0 AND (kind IN ('language', 'type') OR (kind = 'function' AND oid >= 16384)))
      AND NOT EXISTS (
      SELECT FROM pg_init_privs i, aclexplode(i.initprivs) b WHERE i.objoid = acls.oid AND i.classoid = acls.class
        AND i.objsubid = acls.sub AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type)
  -- initdb gave these, and a join takes them away from everybody in what tenants come into
  UNION ALL SELECT lower(kind), 'pg_catalog', name, 'PUBLIC', 'ANY' FROM (
{OPEN_SQL}) open_to_everybody
    WHERE current_database() ~ '^t[0-9]{{5}}' OR current_database() = {literal(TEMPLATE)})
SELECT json_build_object('database', current_database(),
  'objects', (SELECT coalesce(json_agg(json_build_array(kind, name,
      CASE owner WHEN 0 THEN '' ELSE pg_get_userbyid(owner) END, coalesce(detail, ''))), '[]') FROM objects),
  'rights', (SELECT coalesce(json_agg(json_build_array(kind, schema, name, grantee, privilege)), '[]') FROM rights));
"""


class Role(NamedTuple):
    """A role that is not PostgreSQL's own. `powers`: SUPERUSER, CREATEROLE and the like."""

    name: str
    login: bool
    powers: frozenset[str]


class Membership(NamedTuple):
    """`member` belongs to `group`; the rest is how."""

    member: str
    group: str
    admin: bool
    inherit: bool
    set_role: bool


class Grant(NamedTuple):
    """A right on a database, with defaults spelled out. `grantee` may be PUBLIC."""

    grantee: str
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the cluster. `open`: takes connections."""

    name: str
    owner: str
    template: bool
    open: bool
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """A rule of pg_hba.conf as the server has read it. `error`: why it could not be read, else empty."""

    type: str
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str
    method: str
    options: tuple[str, ...]
    error: str

    @property
    def line(self) -> str:
        """The rule as it stands in the file."""
        fields = (self.type, ",".join(self.databases), ",".join(self.users), self.address, self.method, *self.options)
        return " ".join(field for field in fields if field)


class IdentityMap(NamedTuple):
    """A line of pg_ident.conf: who outside may be which role."""

    name: str
    outside: str
    role: str


class Setting(NamedTuple):
    """A setting of one database; `role` empty: for everybody in it."""

    database: str
    role: str
    setting: str


class ParameterGrant(NamedTuple):
    """A right on a server parameter that was given to somebody."""

    parameter: str
    role: str
    privilege: str


class Tablespace(NamedTuple):
    """A tablespace that initdb did not make."""

    name: str
    owner: str


@dataclass(frozen=True)
class Cluster:
    """What the databases of one server share. `same_password`: groups of roles with one verifier."""

    roles: Mapping[str, Role]
    members: tuple[Membership, ...]
    databases: Mapping[str, Database]
    doors: tuple[Door, ...]
    same_password: tuple[tuple[str, ...], ...] = ()
    maps: tuple[IdentityMap, ...] = ()
    settings: tuple[Setting, ...] = ()
    parameters: tuple[ParameterGrant, ...] = ()
    tablespaces: tuple[Tablespace, ...] = ()


class Thing(NamedTuple):
    """An object beyond PostgreSQL's own. `owner` empty: it has none; `detail`: what tells it from one of its name."""

    kind: str
    name: str
    owner: str
    detail: str


class Right(NamedTuple):
    """A right that initdb did not give and its holder does not have as owner."""

    kind: str
    schema: str
    name: str
    grantee: str
    privilege: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What one database holds."""

    objects: tuple[Thing, ...] = ()
    rights: tuple[Right, ...] = ()


@dataclass(frozen=True)
class Facts:
    """One cell: its cluster, and the contents of each open database by name."""

    cluster: Cluster
    contents: Mapping[str, Contents]


def cluster(cell: CellSql, timeout: float = 60) -> Cluster:
    """What the cell's databases share."""
    (row,) = cell.rows(CLUSTER, database="postgres", role="postgres", timeout=timeout)
    return Cluster(
        roles={name: Role(name, login, frozenset(powers)) for name, login, powers in row["roles"]},
        members=tuple(Membership(*item) for item in row["members"]),
        databases={
            name: Database(name, owner, template, is_open, tuple(Grant(*grant) for grant in grants))
            for name, owner, template, is_open, grants in row["databases"]
        },
        doors=tuple(
            Door(kind, tuple(databases), tuple(users), address, method, tuple(options), error)
            for kind, databases, users, address, method, options, error in row["doors"]
        ),
        same_password=tuple(tuple(names) for names in row["same_password"]),
        maps=tuple(IdentityMap(*item) for item in row["maps"]),
        settings=tuple(Setting(*item) for item in row["settings"]),
        parameters=tuple(ParameterGrant(*item) for item in row["parameters"]),
        tablespaces=tuple(Tablespace(*item) for item in row["tablespaces"]),
    )


def contents(cell: CellSql, names: Iterable[str], timeout: float = 600) -> dict[str, Contents]:
    """What the databases `names` hold; each must take connections. Some 50 ms a database."""
    script = "".join(f"\\connect {identifier(name)}\n{CONTENTS}" for name in sorted(names))
    if not script:
        return {}
    return {
        row["database"]: Contents(
            tuple(Thing(*item) for item in row["objects"]), tuple(Right(*item) for item in row["rights"])
        )
        for row in cell.rows(script, database="postgres", role="postgres", timeout=timeout)
    }


def read(cell: CellSql) -> Facts:
    """Everything: the cluster, and each database that takes connections."""
    shared = cluster(cell)
    return Facts(shared, contents(cell, [name for name, row in shared.databases.items() if row.open]))
