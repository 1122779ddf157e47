"""What must change so that a cell's tenants are as the register wants them: pure computation, no I/O.

A plan is a list of steps in order. Each says what it is about, what is there now and what will be, in words fit for a
diff (never a password or verifier), and holds the SQL that does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from centre.database.migrations import Migration
from centre.database.reading import FACTS_SCHEMA, Inside, Share, Shared
from centre.isolation.reading import SEQUENCE_RIGHTS, TABLE_RIGHTS
from centre.steps import Step
from inventory.models import Caps
from stacks.configs.postgres import AUTH_DATABASE, BUSY, CLOSE_SQL, OWNER, PROVISIONER, TEMPLATE, TEMPORARY
from stacks.configs.sql import identifier, literal

TURNOVER = 2  # server connections that may exist for each that the pooler holds: while it replaces one, both do
SUPERUSER = "postgres"  # comes in by the node's own socket, as the provisioner does
DATABASE_RIGHTS = {"CREATE", "TEMPORARY", "CONNECT"}
# What every system may do with the tables of schema `chain`; row-level security narrows it to its own messages.
CHAIN = {
    "message": ("SELECT", "INSERT"),
    "receipt": ("SELECT", "INSERT"),
    "failure": ("SELECT", "INSERT"),
    "dead": ("SELECT", "INSERT"),
    "allowed": ("SELECT",),
    "run": ("SELECT", "INSERT"),
}
_TENANT = re.compile(r"t\d{5}")


class PlanFault(Exception):
    """The cell is in a state that no step may overwrite; the message says what to do."""


@dataclass(frozen=True)
class TenantDatabase:
    """What a tenant should be at its cell: a database, its logins and what they may do.

    `name`: `t16054`; `verifiers`: system → verifier of its login; `views`: (system, view or function, who may use it);
    `facts`: JSON text that the systems read about the municipality, None = nothing is said; `caps`: what it may take.
    """

    name: str
    verifiers: Mapping[str, str] = field(repr=False)
    views: Sequence[tuple[str, str, str]] = ()
    facts: str | None = None
    caps: Caps = Caps()

    def __post_init__(self) -> None:
        if not _TENANT.fullmatch(self.name):
            raise ValueError(f"tenant {self.name!r}: wanted t and a 5-digit KSH code")

    def login(self, system: str) -> str:
        return f"{self.name}_{system}"

    @property
    def connections(self) -> int:
        """The most server connections of its database."""
        return TURNOVER * self.caps.connections

    @property
    def connections_of_login(self) -> int:
        """The most server connections of each of its logins."""
        return TURNOVER * self.caps.connections_of_system

    def settings(self, system: str) -> dict[str, str]:
        """What holds for sessions of a system's login: BUSY and TEMPORARY always, the rest until one says otherwise."""
        return {
            "search_path": system,
            "statement_timeout": f"{self.caps.statement_seconds}s",
            "transaction_timeout": f"{self.caps.transaction_seconds}s",
            "idle_in_transaction_session_timeout": f"{self.caps.idle_in_transaction_seconds}s",
            "lock_timeout": f"{self.caps.lock_seconds}s",
            BUSY: f"{self.caps.busy_milliseconds}ms",
            TEMPORARY: f"{self.caps.temporary_mebibytes}MB",
        }

    @property
    def logins(self) -> dict[str, str]:
        """Login role → the schema (system) that it may use."""
        return {self.login(system): system for system in sorted(self.verifiers)}

    @property
    def shares(self) -> list[Share]:
        """What its logins may reach outside their own schemas: the chain, and views published for them."""
        chain = [Share(login, "chain", table, rights) for login in self.logins for table, rights in CHAIN.items()]
        return chain + [
            Share(self.login(reader), system, view, ("EXECUTE",) if view.endswith(")") else ("SELECT",))
            for system, view, reader in self.views
            if {system, reader} <= set(self.verifiers)
        ]


@dataclass(frozen=True)
class Statement(Step):
    """One step in SQL, run in `database` as `role` (autocommit unless it says BEGIN)."""

    sql: str = field(repr=False)
    database: str = AUTH_DATABASE
    role: str = PROVISIONER


def script(steps: Sequence[Statement]) -> str:
    """One psql script of all steps, changing database and role only where the next one needs it."""
    lines, session = [], (AUTH_DATABASE, PROVISIONER)
    for step in steps:
        if (step.database, step.role) != session:
            session = step.database, step.role
            lines.append(f"\\connect {identifier(step.database)} {identifier(step.role)}\n")
        lines.append(step.sql.rstrip() + "\n")
    return "".join(lines)


def template_steps(migrations: Sequence[Migration], template: Inside) -> list[Statement]:
    """What the tenants' template lacks: migrations, and what everybody may do in it and should not."""
    return _close(TEMPLATE, template) + _migrate(TEMPLATE, migrations, template)


def present_steps(
    tenants: Sequence[TenantDatabase], shared: Shared, insides: Mapping[str, Inside], migrations: Sequence[Migration]
) -> list[Statement]:
    """Steps that make `tenants` exist with exactly the wanted roles, schema versions and rights.

    `insides` holds what the existing and open ones of their databases hold. PlanFault for a database that an
    interrupted removal left behind.
    """
    steps: list[Statement] = []
    for tenant in tenants:
        steps += _roles(tenant, shared)
        steps += _database(tenant, shared, insides.get(tenant.name), migrations)
        steps += _former_logins(tenant, shared)
    return steps


def absent_steps(tenants: Sequence[str], shared: Shared) -> list[Statement]:
    """Steps that remove databases and roles of `tenants` (names) for good."""
    steps = []
    for name in tenants:
        # With it go those that restores have put aside: nothing of a municipality stays.
        for database in sorted(d for d in shared.databases if d == name or d.startswith(f"{name}_")):
            close = ""
            if not shared.databases[database]["broken"]:
                close = f"ALTER DATABASE {identifier(database)} ALLOW_CONNECTIONS false;\n"
            drop = f"{close}DROP DATABASE {identifier(database)} WITH (FORCE);"
            steps.append(Statement(f"database {database}", "present", "absent", drop))
        for role in sorted((r for r in shared.roles if r == name or r.startswith(f"{name}_")), reverse=True):
            steps.append(Statement(f"role {role}", "present", "absent", f"DROP ROLE {identifier(role)};"))
    return steps


def _roles(tenant: TenantDatabase, shared: Shared) -> list[Statement]:
    steps = _role(tenant.name, shared.roles.get(tenant.name))
    for system, verifier in sorted(tenant.verifiers.items()):
        name = tenant.login(system)
        login = _Login(verifier, tenant.connections_of_login, tenant.settings(system))
        steps += _role(name, shared.roles.get(name), login)
        steps += _membership(name, tenant.name, shared.roles.get(name))
    return steps + _leave_groups(tenant.name, shared.roles.get(tenant.name), keep=None)


@dataclass(frozen=True)
class _Login:
    """What a role that logs in has, and a group has not."""

    verifier: str = field(repr=False)
    limit: int
    settings: Mapping[str, str]

    def __str__(self) -> str:
        return f"LOGIN, limit {self.limit}, password (hidden), {_settings_text(self.settings)}"


def _role(name: str, row: Mapping[str, Any] | None, login: _Login | None = None) -> list[Statement]:
    quoted = identifier(name)
    settings = dict(login.settings) if login else {}
    faults = [] if row else ["absent"]
    if row:
        present = dict(setting.split("=", 1) for setting in row["settings"])
        if row["powers"]:
            faults.append("+".join(sorted(row["powers"])))
        if row["login"] != (login is not None):
            faults.append("LOGIN" if row["login"] else "NOLOGIN")
        if login and row["limit"] != login.limit:
            faults.append(f"limit {row['limit']}")
        if login and row["verifier"] != login.verifier:
            faults.append("another password")
        differing = sorted(key for key in settings.keys() | present if present.get(key) != settings.get(key))
        if differing:
            faults.append(_settings_text({key: present.get(key, "unset") for key in differing}))
        faults += [f"settings of its own in {database}" for database in sorted(row["settings_in"])]
    if not faults:
        return []
    attributes = "NOLOGIN"
    if login:
        attributes = f"LOGIN CONNECTION LIMIT {login.limit} PASSWORD {literal(login.verifier)}"
    powers = "".join(f" NO{power}" for power in row["powers"]) if row else ""
    sql = "" if row else f"CREATE ROLE {quoted};\n"
    sql += f"BEGIN;\nALTER ROLE {quoted} {attributes}{powers};\n"
    if row and row["settings"]:
        sql += f"ALTER ROLE {quoted} RESET ALL;\n"
    for database in sorted(row["settings_in"]) if row else []:
        sql += f"ALTER ROLE {quoted} IN DATABASE {identifier(database)} RESET ALL;\n"
    sql += "".join(f"ALTER ROLE {quoted} SET {key} = {literal(value)};\n" for key, value in settings.items())
    return [Statement(f"role {name}", ", ".join(faults), str(login or "NOLOGIN"), sql + "COMMIT;")]


def _settings_text(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items())


def _membership(name: str, group: str, row: Mapping[str, Any] | None) -> list[Statement]:
    present = {parent: (inherit, may_set) for parent, inherit, may_set in row["member_of"]} if row else {}
    steps = []
    if present.get(group) != (True, False):
        sql = f"GRANT {identifier(group)} TO {identifier(name)} WITH INHERIT TRUE, SET FALSE;"
        steps.append(Statement(f"role {name}", f"member of {sorted(present) or 'nothing'}", f"member of {group}", sql))
    return steps + _leave_groups(name, row, keep=group)


def _leave_groups(name: str, row: Mapping[str, Any] | None, keep: str | None) -> list[Statement]:
    extra = sorted({parent for parent, _, _ in row["member_of"]} - {keep}) if row else []
    steps = []
    for group in extra:
        sql = f"REVOKE {identifier(group)} FROM {identifier(name)};"
        steps.append(Statement(f"role {name}", f"member of {group}", f"not member of {group}", sql))
    return steps


def _database(
    tenant: TenantDatabase, shared: Shared, inside: Inside | None, migrations: Sequence[Migration]
) -> list[Statement]:
    name, quoted = tenant.name, identifier(tenant.name)
    row = shared.databases.get(name)
    if row and row["broken"]:
        raise PlanFault(f"database {name}: its removal was interrupted; finish it with state absent, then join again")
    if row and row["owner"] != OWNER:
        raise PlanFault(f"database {name}: its owner is {row['owner']}, wanted {OWNER}; it was not made by this suite")
    steps = []
    if row is None:
        create = f"CREATE DATABASE {quoted} OWNER {OWNER} TEMPLATE {TEMPLATE} STRATEGY WAL_LOG ALLOW_CONNECTIONS false;"
        steps.append(Statement(f"database {name}", "absent", f"cloned from {TEMPLATE}, closed", create))
    # A clone starts with the default rights of a database, whatever its template's are.
    initial = [("PUBLIC", "CONNECT"), ("PUBLIC", "TEMPORARY")]
    acl = {(grantee, right) for grantee, right in (row["acl"] if row else initial)}
    expected = {(OWNER, right) for right in DATABASE_RIGHTS} | {(name, "CONNECT")}
    if row is None or acl != expected or not row["open"]:
        # In one transaction: at no moment is the database open to anybody else.
        grantees = sorted({grantee for grantee, _ in acl - expected})
        revokes = "".join(
            f"REVOKE ALL ON DATABASE {quoted} FROM {'PUBLIC' if holder == 'PUBLIC' else identifier(holder)};\n"
            for holder in grantees
        )
        sql = (
            f"BEGIN;\n{revokes}GRANT ALL ON DATABASE {quoted} TO {OWNER};\n"
            f"GRANT CONNECT ON DATABASE {quoted} TO {quoted};\nALTER DATABASE {quoted} ALLOW_CONNECTIONS true;\nCOMMIT;"
        )
        before = _acl_text(acl) + ("" if row and row["open"] else ", closed")
        steps.append(Statement(f"database {name} access", before, _acl_text(expected) + ", open", sql))
    limit = row["limit"] if row else -1
    if limit != tenant.connections:
        sql = f"ALTER DATABASE {quoted} CONNECTION LIMIT {tenant.connections};"
        steps.append(Statement(f"database {name} connections", f"limit {limit}", f"limit {tenant.connections}", sql))
    if (row or {}).get("comment"):  # every database of the cell would show it
        steps.append(Statement(f"database {name} comment", "present", "none", f"COMMENT ON DATABASE {quoted} IS NULL;"))
    own = tenant.logins
    if inside is None:  # just cloned, or closed until now: the template's schema with nobody's rights on it
        steps += [_grant(name, login, schema, "absent") for login, schema in own.items()]
        steps += [_share(name, share, "absent") for share in tenant.shares]
        return steps + _facts(tenant, None)
    steps += _close(name, inside) + _migrate(name, migrations, inside)
    missing = {(role, schema) for _, schema, _, role, _ in inside.missing}
    steps += [_grant(name, role, schema, "incomplete") for role, schema in sorted(missing) if own.get(role) == schema]
    steps += [_share(name, share, "incomplete") for share in tenant.shares if (share.login, share.schema) in missing]
    steps += [_revoke(name, right) for right in sorted(inside.extra)]
    return steps + _facts(tenant, inside.facts)


def _facts(tenant: TenantDatabase, present: str | None) -> list[Statement]:
    if tenant.facts in (None, present):
        return []
    sql = f"SET ROLE {OWNER};\nCOMMENT ON SCHEMA {FACTS_SCHEMA} IS {literal(tenant.facts)};\nRESET ROLE;"
    return [Statement(f"database {tenant.name} facts", present or "none", tenant.facts, sql, tenant.name)]


def _close(database: str, inside: Inside) -> list[Statement]:
    """Take from everybody what PostgreSQL gives in every database; only a superuser can."""
    if not inside.open:
        return []
    before = f"{len(inside.open)} views and functions of the server open to everybody"
    return [Statement(f"database {database} walls", before, "closed", CLOSE_SQL, database, SUPERUSER)]


def _migrate(database: str, migrations: Sequence[Migration], inside: Inside) -> list[Statement]:
    return [
        Statement(f"schema {m.system} of {database}", "older", f"version {m.version}", m.script(), database)
        for m in migrations
        if m.key not in inside.migrations
    ]


def _grant(database: str, login: str, schema: str, before: str) -> Statement:
    role, place = identifier(login), identifier(schema)
    tables, sequences = ", ".join(TABLE_RIGHTS), ", ".join(SEQUENCE_RIGHTS)
    default = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA {place}"
    sql = (
        f"BEGIN;\nGRANT USAGE ON SCHEMA {place} TO {role};\n"
        f"GRANT {tables} ON ALL TABLES IN SCHEMA {place} TO {role};\n"
        f"GRANT {sequences} ON ALL SEQUENCES IN SCHEMA {place} TO {role};\n"
        f"{default} GRANT {tables} ON TABLES TO {role};\n{default} GRANT {sequences} ON SEQUENCES TO {role};\nCOMMIT;"
    )
    return Statement(f"rights of {login} in {database}", before, f"schema {schema}: {tables}", sql, database)


def _share(database: str, share: Share, before: str) -> Statement:
    login, place, rights = identifier(share.login), identifier(share.schema), ", ".join(share.rights)
    sql = (
        f"BEGIN;\nGRANT USAGE ON SCHEMA {place} TO {login};\n"
        f"GRANT {rights} ON {_object(place, share.object)} TO {login};\nCOMMIT;"
    )
    after = f"{share.schema}.{share.object}: {rights}"
    return Statement(f"rights of {share.login} in {database}", before, after, sql, database)


def _object(place: str, name: str) -> str:
    """A table, or a function with the types of what it takes, as GRANT names it."""
    function, parenthesis, types = name.partition("(")
    kind = "FUNCTION" if parenthesis else "TABLE"
    return f"{kind} {place}.{identifier(function)}{parenthesis}{types}"


def _revoke(database: str, right: tuple[str, ...]) -> Statement:
    kind, schema, target, grantee, privilege = right
    whom = "PUBLIC" if grantee == "PUBLIC" else identifier(grantee)
    if kind == "default":
        scope = f" IN SCHEMA {identifier(schema)}" if schema else ""
        objects = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS"}[target]
        sql = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}{scope} REVOKE {privilege} ON {objects} FROM {whom};"
    elif kind == "schema":
        sql = f"REVOKE {privilege} ON SCHEMA {identifier(schema)} FROM {whom};"
    else:
        thing = f"SEQUENCE {identifier(schema)}.{identifier(target)}" if kind == "sequence" else ""
        sql = f"REVOKE {privilege} ON {thing or _object(identifier(schema), target)} FROM {whom};"
    place = ".".join(part for part in (schema, target) if part)
    return Statement(f"rights of {grantee} in {database}", f"{privilege} on {kind} {place}", "none", sql, database)


def _former_logins(tenant: TenantDatabase, shared: Shared) -> list[Statement]:
    """Logins of systems that the municipality no longer has. Their rights were revoked as extra before this."""
    former = sorted(r for r in shared.roles if r.startswith(f"{tenant.name}_") and r not in tenant.logins)
    return [Statement(f"role {role}", "present", "absent", f"DROP ROLE {identifier(role)};") for role in former]


def _acl_text(acl: set[tuple[str, str]]) -> str:
    connect = sorted(role for role, right in acl if right == "CONNECT" and role != OWNER)
    return f"connect: {', '.join(connect) or 'nobody'}"
