"""Who can reach what in a cell, computed from its running catalogues: every tenant against every other, as sets.

Two questions, one reading. `matrix`: which tenant reaches which other, plane by plane (nobody, or there is a leak).
`findings`: everything in the catalogues that is no part of a tenant as the suite makes it, and could open it: a
database is measured against the template that it was cloned from, rights against their owners, the server against what
lets tenants in.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from centre.database.reading import TABLE_RIGHTS
from centre.reach.psql import CellSql
from stacks.configs.postgres import BUSY, OWNER, PROVISIONER, REPLICATOR, TEMPLATE
from stacks.configs.sql import identifier

PLANES = ("connect", "doors", "membership", "objects")
PUBLIC = "PUBLIC"
TENANT = re.compile(r"(t\d{5})(?:_([a-z]+))?")
OWN_RIGHTS = {"USAGE", *TABLE_RIGHTS}  # of a login in its own schema
# What roles of the hosting itself may do beyond logging in. `postgres` comes in by the node's own socket alone.
POWERS = {"postgres": None, PROVISIONER: {"CREATEDB", "CREATEROLE"}, REPLICATOR: {"REPLICATION"}}

CLUSTER = """\
SELECT json_build_object(
  'roles', (SELECT json_object_agg(r.rolname, json_build_object('login', r.rolcanlogin, 'powers', array_remove(ARRAY[
      CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
      CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
      CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL))) FROM pg_roles r WHERE r.rolname !~ '^pg_'),
  'members', (SELECT coalesce(json_agg(json_build_array(m.rolname, g.rolname,
      x.admin_option, x.inherit_option, x.set_option)), '[]')
    FROM pg_auth_members x JOIN pg_roles m ON m.oid = x.member JOIN pg_roles g ON g.oid = x.roleid
    WHERE m.rolname !~ '^pg_'),
  'same_password', (SELECT coalesce(json_agg(names), '[]') FROM (SELECT json_agg(rolname ORDER BY rolname) AS names
    FROM pg_authid WHERE rolpassword IS NOT NULL GROUP BY rolpassword HAVING count(*) > 1) s),
  'databases', (SELECT json_object_agg(d.datname, json_build_object('owner', pg_get_userbyid(d.datdba), 'template',
      d.datistemplate, 'acl', (SELECT coalesce(json_agg(json_build_array(
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, is_grantable)), '[]')
        FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))))) FROM pg_database d WHERE d.datallowconn),
  'doors', (SELECT coalesce(json_agg(json_build_object('type', type, 'databases', database, 'users', user_name,
      'method', auth_method, 'options', coalesce(options, '{}'), 'error', error)), '[]') FROM pg_hba_file_rules),
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
CONTENTS = """\
SET search_path = pg_catalog;
WITH objects(kind, name, owner, detail) AS (
  SELECT 'schema', nspname::text, nspowner, '' FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_(temp|toast)'
  UNION ALL SELECT 'relation', c.oid::regclass::text, relowner, concat_ws(' ', relkind::text, relrowsecurity,
      relforcerowsecurity, reloptions::text, CASE WHEN relkind IN ('v', 'm') THEN md5(pg_get_viewdef(c.oid)) END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE c.oid >= 16384 AND nspname !~ '^pg_(temp|toast)' AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  UNION ALL SELECT 'function', oid::regprocedure::text, proowner,
      concat_ws(' ', prosecdef, prolang, proconfig::text, md5(concat(prosrc, prosqlbody::text)))
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
  SELECT kind, schema, name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type
    FROM acls, aclexplode(acl) a
    WHERE grantee <> owner AND schema !~ '^pg_(temp|toast)'
      -- initdb's own rights: recorded, but for what information_schema shows everybody about themselves
      AND NOT (schema = 'information_schema' AND grantee = 0 AND oid < 16384 AND privilege_type IN ('SELECT', 'USAGE'))
      -- PostgreSQL's own defaults, spelt out once anything else was granted: whoever may not make objects has no use
      AND NOT (grantee = 0 AND (kind IN ('language', 'type') OR (kind = 'function' AND oid >= 16384)))
      AND NOT EXISTS (
      SELECT FROM pg_init_privs i, aclexplode(i.initprivs) b WHERE i.objoid = acls.oid AND i.classoid = acls.class
        AND i.objsubid = acls.sub AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type))
SELECT json_build_object('database', current_database(),
  'objects', (SELECT coalesce(json_agg(json_build_array(kind, name,
      CASE owner WHEN 0 THEN '' ELSE pg_get_userbyid(owner) END, coalesce(detail, ''))), '[]') FROM objects),
  'rights', (SELECT coalesce(json_agg(json_build_array(kind, schema, name, grantee, privilege)), '[]') FROM rights));
"""


@dataclass(frozen=True)
class Facts:
    """What the catalogues of one cell say: the cluster's, and each database's contents by its name."""

    cluster: Mapping[str, Any]
    contents: Mapping[str, Mapping[str, Any]]

    @property
    def tenants(self) -> list[str]:
        return sorted(name for name in self.cluster["databases"] if _tenant(name) == name)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is no part of a tenant as the suite makes it. `where`: database, or `cluster`."""

    where: str
    kind: str
    what: str


@dataclass(frozen=True)
class Matrix:
    """Which tenant reaches which other: plane → (from, to) pairs. `examined`: ordered pairs times planes."""

    tenants: int
    reached: Mapping[str, frozenset[tuple[str, str]]] = field(repr=False)

    @property
    def examined(self) -> int:
        return self.tenants * (self.tenants - 1) * len(PLANES)

    @property
    def forbidden(self) -> int:
        return sum(len(pairs) for pairs in self.reached.values())


def read(cell: CellSql) -> Facts:
    """Everything, in one script for the cluster and one that visits each open database."""
    (cluster,) = cell.rows(CLUSTER, database="postgres", role="postgres")
    script = "".join(f"\\connect {identifier(name)}\n{CONTENTS}" for name in sorted(cluster["databases"]))
    rows = cell.rows(script, database="postgres", role="postgres", timeout=600)
    return Facts(cluster, {row["database"]: row for row in rows})


def matrix(facts: Sequence[Facts]) -> Matrix:
    """Every tenant of all cells against every other. Those of different cells share no server: no plane joins them."""
    reached: dict[str, set[tuple[str, str]]] = {plane: set() for plane in PLANES}
    count = 0
    for cell in facts:
        tenants = cell.tenants
        count += len(tenants)
        reach = _Reach(cell.cluster, tenants)
        for target in tenants:
            database = cell.cluster["databases"][target]
            holders = {grantee for grantee, right, _ in database["acl"] if right == "CONNECT"} | {database["owner"]}
            grantees = {right[3] for right in cell.contents[target]["rights"]}
            for plane, roles in (
                ("connect", holders),
                ("doors", reach.doors(target)),
                ("membership", reach.roles_of(target)),
                ("objects", grantees),
            ):
                reached[plane] |= {(source, target) for source in reach.tenants_in(roles) - {target}}
    return Matrix(count, {plane: frozenset(pairs) for plane, pairs in reached.items()})


class _Reach:
    """Which tenants stand behind a role: those whose roles are it, or are members of it by whatever chain."""

    def __init__(self, cluster: Mapping[str, Any], tenants: Iterable[str]):
        self._all = set(tenants)
        above = defaultdict(set)
        for member, group, *_ in cluster["members"]:
            above[member].add(group)
        self._behind: dict[str, set[str]] = defaultdict(set)
        self._roles: dict[str, set[str]] = defaultdict(set)
        for role, row in cluster["roles"].items():
            tenant = _tenant(role)
            if tenant is None:
                continue
            self._roles[tenant].add(role)
            for reached in _closure(role, above):
                self._behind[reached].add(tenant)
            if set(row["powers"]) & {"SUPERUSER", "CREATEROLE"}:  # grants itself the rest
                self._behind[PUBLIC].add(tenant)
        self._open = [door for door in cluster["doors"] if door["method"] != "reject" and opens_tenants(door)]

    def tenants_in(self, roles: Iterable[str]) -> set[str]:
        if PUBLIC in (found := set(roles)):
            return self._all
        return self._behind[PUBLIC].union(*(self._behind.get(role, ()) for role in found))

    def roles_of(self, tenant: str) -> set[str]:
        return self._roles[tenant]

    def doors(self, tenant: str) -> set[str]:
        """Roles that pg_hba lets into a tenant's database: members of the role named like it, and what `doors` add."""
        roles = {tenant}
        for door in self._open:
            if any(name in ("all", tenant) or name.startswith("/") for name in door["databases"]):
                roles |= {PUBLIC if user == "all" or user[:1] in "/+" else user for user in door["users"]}
        return roles


def opens_tenants(door: Mapping[str, Any]) -> bool:
    """Whether a pg_hba rule lets somebody into a tenant's database without being a member of the role named like it.

    `sameuser` opens the database named like a role to it, `samegroup` is an old name of `samerole`; a local rule counts
    where it asks for nothing, or is for others than administration.
    """
    if door["type"] == "local":
        return door["method"] != "peer" or any(user not in POWERS for user in door["users"])
    return any(
        name in ("all", "sameuser", "samegroup") or name.startswith("/") or _tenant(name) == name
        for name in door["databases"]
    )


def findings(facts: Facts, shares: Mapping[str, frozenset[tuple[str, str, str, str]]]) -> list[Finding]:
    """Everything that should not be. `shares`: tenant → rights of its logins beyond their own schemas, each (login,
    schema, object or nothing, privilege)."""
    found = [Finding("cluster", kind, what) for kind, what in _cluster(facts.cluster)]
    template = _objects(facts.contents.get(TEMPLATE, {}))
    for name, contents in facts.contents.items():
        rights = _rights(name, contents["rights"], shares.get(name, frozenset()))
        found += [Finding(name, kind, what) for kind, what in rights]
        if _tenant(name) == name:
            found += [Finding(name, kind, what) for kind, what in _differences(template, _objects(contents))]
        if name in (TEMPLATE, *facts.tenants):
            found += [Finding(name, f"owner of {kind}", f"{what}: {owner}, wanted {OWNER}")
                      for kind, what, owner, _ in contents["objects"] if owner not in ("", OWNER)]  # fmt: skip
    return sorted(set(found))


def _cluster(cluster: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    roles = cluster["roles"]
    for role, row in roles.items():
        allowed = POWERS.get(role, set())
        if allowed is not None and (powers := set(row["powers"]) - allowed):
            yield "power", f"{role}: {', '.join(sorted(powers))}"
        if _tenant(role) == role and row["login"]:
            yield "login", f"{role}: a group that may log in"
    for member, group, admin, inherit, may_set in cluster["members"]:
        own = TENANT.fullmatch(member)
        right = own and own[2] and group == own[1] and (admin, inherit, may_set) == (False, True, False)
        if (own or _tenant(group)) and not right and member != PROVISIONER and member != "postgres":
            how = ", ".join(w for w, on in (("admin", admin), ("inherit", inherit), ("set", may_set)) if on)
            yield "membership", f"{member} in {group} ({how or 'nothing inherited'})"
        elif not own and not _tenant(group) and member not in POWERS:
            yield "membership", f"{member} in {group}"
    for names in cluster["same_password"]:
        yield "password", f"one for {', '.join(names)}"
    for name, row in cluster["databases"].items():
        tenant = _tenant(name) == name
        if tenant and row["owner"] != OWNER:
            yield "owner of database", f"{name}: {row['owner']}, wanted {OWNER}"
        if tenant and row["template"]:
            yield "template", f"{name}: anybody who may create databases may copy it"
        for grantee, right, grantable in row["acl"]:
            own = tenant and (grantee, right) == (name, "CONNECT") and not grantable
            for_all = grantee == PUBLIC and right == "CONNECT"
            if grantee != row["owner"] and not own and (tenant or for_all or _tenant(grantee)):
                yield "database", f"{name}: {right} for {grantee}"
    for door in cluster["doors"]:
        line = f"{door['type']} {','.join(door['databases'] or [])} {','.join(door['users'] or [])} {door['method']}"
        if door["error"]:
            yield "door", f"{line}: {door['error']}"
        elif door["method"] != "reject":
            strong = door["type"] == "hostssl" and door["method"] in ("scram-sha-256", "cert")
            if opens_tenants(door) or not (strong or door["type"] == "local"):
                yield "door", line
    for name, system, role in cluster["maps"]:
        if role not in POWERS:
            yield "identity map", f"{name}: {system} is {role}"
    for database, role, setting in cluster["settings"]:
        if _tenant(database) or _tenant(role):
            yield "setting", f"{role or 'everybody'} in {database}: {setting}"
    for parameter, role, right in cluster["parameters"]:
        if (parameter, role, right) != (BUSY, PROVISIONER, "SET"):
            yield "parameter", f"{parameter}: {right} for {role}"
    for name, owner in cluster["tablespaces"]:
        yield "tablespace", f"{name} of {owner}"


def _rights(
    database: str, rights: Iterable[Sequence[str]], shared: frozenset[tuple[str, str, str, str]]
) -> Iterator[tuple[str, str]]:
    """All rights but what a tenant's own logins need in their own schemas, and what is shared with them."""
    for kind, schema, name, grantee, right in rights:
        found = TENANT.fullmatch(grantee)
        if found and found[1] == database and found[2] and kind in ("schema", "relation", "default"):
            at_home = schema == found[2] and right in OWN_RIGHTS
            if at_home or (kind != "default" and (grantee, schema, name, right) in shared):
                continue
        elif grantee == OWNER or (_tenant(database) is None and grantee.startswith("asp_")):
            continue  # the pooler's and the provisioner's own databases
        yield f"right on {kind}", f"{'.'.join(part for part in (schema, name) if part)}: {right} for {grantee}"


def _objects(contents: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(kind, name): detail for kind, name, _, detail in contents.get("objects", ())}


def _differences(template: Mapping, seen: Mapping) -> Iterator[tuple[str, str]]:
    for kind, name in seen.keys() - template.keys():
        yield kind, f"{name}: not in {TEMPLATE}"
    for kind, name in template.keys() - seen.keys():
        yield kind, f"{name}: gone, it is in {TEMPLATE}"
    for key in template.keys() & seen.keys():
        if template[key] != seen[key]:
            yield key[0], f"{key[1]}: differs from {TEMPLATE}"


def _closure(role: str, above: Mapping[str, set[str]]) -> set[str]:
    reached, pending = set(), [role]
    while pending:
        if (one := pending.pop()) not in reached:
            reached.add(one)
            pending += above.get(one, ())
    return reached


def _tenant(name: str) -> str | None:
    """`t16054` of `t16054` and of `t16054_irat`; None for other names."""
    found = TENANT.fullmatch(name)
    return found[1] if found else None
