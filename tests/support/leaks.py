"""Leaks to be planted in a running cell and found: each one way by which tenants' walls have been seen to open.

`{a}` is the tenant whose data leaks, `{b}` the other's login role, `{B}` the other's group, `{own}` a login of `{a}`'s.
Statements run as `postgres`, in `{a}`'s database when their name begins with "inside", else in `postgres`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from centre.reach.psql import CellSql


@dataclass(frozen=True)
class Leak:
    """`kind`: of the finding that must name it; `plane`: of the matrix that must show it, None where none can."""

    name: str
    kind: str
    plane: str | None
    plant: str
    remove: str


HELPER = "CREATE ROLE asp_leak; "
NO_HELPER = "DROP ROLE asp_leak"
VERIFIER = "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM pg_authid WHERE rolname = '{own}')"
KEEP = "CREATE TABLE leak_kept AS SELECT rolpassword FROM pg_authid WHERE rolname = '{b}'; "
FUNCTION = "RETURNS int LANGUAGE sql AS 'SELECT 1'"


def _granted(name: str, kind: str, plane: str | None, grant: str) -> Leak:
    """A grant, and its way back. `grant`: `… TO …`."""
    right, _, whom = grant.rpartition(" TO ")
    option = " WITH GRANT OPTION"
    back = f"REVOKE {right} FROM {whom.removesuffix(option)}"
    return Leak(name, kind, plane, f"GRANT {grant}", back)


def _member(name: str, plane: str | None, member: str, group: str, options: str = "") -> Leak:
    return Leak(name, "membership", plane, f"GRANT {group} TO {member}{options}", f"REVOKE {group} FROM {member}")


def _power(word: str, plane: str | None = None) -> Leak:
    return Leak(f"power {word}", "power", plane, f"ALTER ROLE {{b}} {word}", f"ALTER ROLE {{b}} NO{word}")


def _leak(name: str, kind: str, create: str, drop: str) -> Leak:
    return Leak(f"inside: {name}", kind, None, create, drop)


LEAKS = [
    # Who may connect
    _granted("connect for another's login", "database", "connect", "CONNECT ON DATABASE {a} TO {b}"),
    _granted("connect for another's group", "database", "connect", "CONNECT ON DATABASE {a} TO {B}"),
    _granted("connect for everybody", "database", "connect", "CONNECT ON DATABASE {a} TO PUBLIC"),
    _granted("connect for an own login", "database", None, "CONNECT ON DATABASE {a} TO {own}"),
    _granted("temporary tables for another's login", "database", None, "TEMPORARY ON DATABASE {a} TO {b}"),
    _granted("schemas for the own group", "database", None, "CREATE ON DATABASE {a} TO {a}"),
    Leak("connect that may be passed on", "database", None, "GRANT CONNECT ON DATABASE {a} TO {a} WITH GRANT OPTION",
         "REVOKE GRANT OPTION FOR CONNECT ON DATABASE {a} FROM {a}"),
    Leak("connect by a shared role", "database", "connect",
         HELPER + "GRANT CONNECT ON DATABASE {a} TO asp_leak; GRANT asp_leak TO {b}",
         "REVOKE CONNECT ON DATABASE {a} FROM asp_leak; " + NO_HELPER),
    _granted("connect to the template", "database", None, "CONNECT ON DATABASE asp_template TO {b}"),
    _granted("connect to the verifiers", "database", None, "CONNECT ON DATABASE pbauth TO {B}"),
    _granted("connect to postgres", "database", None, "CONNECT ON DATABASE postgres TO PUBLIC"),
    Leak("another owns the database", "owner of database", "connect", "ALTER DATABASE {a} OWNER TO {b}",
         "ALTER DATABASE {a} OWNER TO asp_owner"),
    Leak("the database may be copied", "template", None, "ALTER DATABASE {a} IS_TEMPLATE true",
         "ALTER DATABASE {a} IS_TEMPLATE false"),
    # Membership
    _member("member", "membership", "{b}", "{a}", " WITH INHERIT TRUE, SET FALSE"),
    _member("member that may become it", "membership", "{b}", "{a}", " WITH INHERIT FALSE, SET TRUE"),
    _member("member in name alone", "membership", "{b}", "{a}", " WITH INHERIT FALSE, SET FALSE"),
    _member("member that lets others in", "membership", "{b}", "{a}", " WITH ADMIN TRUE"),
    _member("group in group", "membership", "{B}", "{a}"),
    _member("group in a login", "membership", "{B}", "{own}"),
    _member("member of the owner", "connect", "{b}", "asp_owner"),
    Leak("member by way of a helper", "membership", "membership",
         HELPER + "GRANT {a} TO asp_leak; GRANT asp_leak TO {b}", NO_HELPER),
    Leak("own login may become its group", "membership", None, "GRANT {a} TO {own} WITH SET TRUE",
         "GRANT {a} TO {own} WITH SET FALSE"),
    *(_member(f"member of {role}", None, "{b}", role) for role in (
        "pg_read_all_data", "pg_write_all_data", "pg_read_server_files", "pg_write_server_files",
        "pg_execute_server_program", "pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_create_subscription")),
    # Powers
    _power("SUPERUSER", "connect"), _power("CREATEROLE", "connect"), _power("CREATEDB"), _power("REPLICATION"),
    _power("BYPASSRLS"),
    Leak("a second administrator", "power", None, "CREATE ROLE asp_leak LOGIN SUPERUSER", NO_HELPER),
    Leak("a group that may log in", "login", None, "ALTER ROLE {a} LOGIN", "ALTER ROLE {a} NOLOGIN"),
    Leak("the same password", "password", None, KEEP + VERIFIER + " WHERE rolname = '{b}'",
         "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM leak_kept) WHERE rolname = '{b}';"
         "DROP TABLE leak_kept"),
    Leak("a setting for everybody", "setting", None, "ALTER DATABASE {a} SET row_security = off",
         "ALTER DATABASE {a} RESET row_security"),
    Leak("a setting in another's database", "setting", None, "ALTER ROLE {b} IN DATABASE {a} SET search_path = irat",
         "ALTER ROLE {b} IN DATABASE {a} RESET search_path"),
    _granted("may set a server parameter", "parameter", None, "SET ON PARAMETER log_statement TO {b}"),
    _granted("may change the server", "parameter", None, "ALTER SYSTEM ON PARAMETER archive_command TO {b}"),
    Leak("a tablespace", "tablespace", None,
         "SET allow_in_place_tablespaces = on; CREATE TABLESPACE leak OWNER {b} LOCATION ''", "DROP TABLESPACE leak"),
    # Rights inside
    _granted("inside: schema for another", "right on schema", "objects", "USAGE ON SCHEMA irat TO {b}"),
    _granted("inside: schema for everybody", "right on schema", "objects", "USAGE ON SCHEMA irat TO PUBLIC"),
    _granted("inside: own login makes objects", "right on schema", None, "CREATE ON SCHEMA irat TO {own}"),
    _granted("inside: schema of another system", "right on schema", None, "USAGE ON SCHEMA asp_meta TO {own}"),
    _granted("inside: table of another system", "right on relation", None, "SELECT ON keret.django_session TO {own}"),
    _granted("inside: table for another", "right on relation", "objects", "SELECT ON irat.document TO {b}"),
    _granted("inside: writing for everybody", "right on relation", "objects", "INSERT ON irat.document TO PUBLIC"),
    _granted("inside: own login empties tables", "right on relation", None, "TRUNCATE ON irat.document TO {own}"),
    _granted("inside: own login maintains", "right on relation", None, "MAINTAIN ON irat.document TO {own}"),
    _granted("inside: column for another", "right on column", "objects", "SELECT (id) ON irat.document TO {b}"),
    _granted("inside: column for everybody", "right on column", "objects", "UPDATE (id) ON irat.document TO PUBLIC"),
    _granted("inside: sequence for another", "right on relation", "objects",
             "USAGE ON SEQUENCE irat.document_id_seq TO {B}"),
    Leak("inside: later tables for another", "right on default", "objects",
         "ALTER DEFAULT PRIVILEGES FOR ROLE asp_owner IN SCHEMA irat GRANT SELECT ON TABLES TO {b}",
         "ALTER DEFAULT PRIVILEGES FOR ROLE asp_owner IN SCHEMA irat REVOKE SELECT ON TABLES FROM {b}"),
    Leak("inside: later schemas for everybody", "right on default", "objects",
         "ALTER DEFAULT PRIVILEGES FOR ROLE asp_owner GRANT USAGE ON SCHEMAS TO PUBLIC",
         "ALTER DEFAULT PRIVILEGES FOR ROLE asp_owner REVOKE USAGE ON SCHEMAS FROM PUBLIC"),
    _granted("inside: the server's files", "right on function", "objects",
             "EXECUTE ON FUNCTION pg_read_file(text) TO {b}"),
    _granted("inside: the server's folders for everybody", "right on function", "objects",
             "EXECUTE ON FUNCTION pg_ls_dir(text) TO PUBLIC"),
    _granted("inside: own login reads the server's files", "right on function", None,
             "EXECUTE ON FUNCTION pg_read_file(text) TO {own}"),
    _granted("inside: verifiers for everybody", "right on relation", "objects", "SELECT ON pg_authid TO PUBLIC"),
    _granted("inside: a language for another", "right on language", "objects", "USAGE ON LANGUAGE plpgsql TO {b}"),
    # Objects that are not the template's
    _leak("table of another", "owner of relation", "CREATE TABLE irat.leak (); ALTER TABLE irat.leak OWNER TO {b}",
          "DROP TABLE irat.leak"),
    _leak("schema of another", "owner of schema", "CREATE SCHEMA leak AUTHORIZATION {b}", "DROP SCHEMA leak"),
    _leak("function of another", "owner of function",
          f"CREATE FUNCTION irat.leak() {FUNCTION}; ALTER FUNCTION irat.leak() OWNER TO {{b}}",
          "DROP FUNCTION irat.leak()"),
    _leak("type of another", "owner of type", "CREATE TYPE irat.leak AS ENUM ('x'); ALTER TYPE irat.leak OWNER TO {b}",
          "DROP TYPE irat.leak"),
    _leak("large object of another", "owner of large object",
          "SELECT lo_create(4242); ALTER LARGE OBJECT 4242 OWNER TO {b}", "SELECT lo_unlink(4242)"),
    Leak("inside: table is given away", "owner of relation", None, "ALTER TABLE irat.document OWNER TO {b}",
         "ALTER TABLE irat.document OWNER TO asp_owner"),
    Leak("inside: schema is given away", "owner of schema", None, "ALTER SCHEMA irat OWNER TO {b}",
         "ALTER SCHEMA irat OWNER TO asp_owner"),
    _leak("function with its owner's rights", "function",
          f"SET ROLE asp_owner; CREATE FUNCTION irat.leak() {FUNCTION} SECURITY DEFINER", "DROP FUNCTION irat.leak()"),
    _leak("view over all messages", "relation", "SET ROLE asp_owner; CREATE VIEW irat.leak AS TABLE chain.message",
          "DROP VIEW irat.leak"),
    _leak("row security is off", "relation", "ALTER TABLE chain.message DISABLE ROW LEVEL SECURITY",
          "ALTER TABLE chain.message ENABLE ROW LEVEL SECURITY"),
    _leak("a policy that shows all", "policy", "CREATE POLICY leak ON chain.message USING (true)",
          "DROP POLICY leak ON chain.message"),
    _leak("a trigger", "trigger", "CREATE TRIGGER leak BEFORE UPDATE ON irat.document FOR EACH ROW "
          "EXECUTE FUNCTION suppress_redundant_updates_trigger()", "DROP TRIGGER leak ON irat.document"),
    _leak("a rule", "rule", "CREATE RULE leak AS ON DELETE TO irat.document DO INSTEAD NOTHING",
          "DROP RULE leak ON irat.document"),
    _leak("publication of all tables", "publication", "CREATE PUBLICATION leak FOR ALL TABLES",
          "DROP PUBLICATION leak"),
    _leak("subscription", "subscription", "CREATE SUBSCRIPTION leak CONNECTION 'dbname=x' PUBLICATION x "
          "WITH (connect = false, enabled = false)",
          "ALTER SUBSCRIPTION leak SET (slot_name = NONE); DROP SUBSCRIPTION leak"),
    _leak("event trigger", "event trigger", "CREATE FUNCTION irat.leak() RETURNS event_trigger LANGUAGE plpgsql AS "
          "'BEGIN END'; CREATE EVENT TRIGGER leak ON ddl_command_end EXECUTE FUNCTION irat.leak()",
          "DROP EVENT TRIGGER leak; DROP FUNCTION irat.leak()"),
    _leak("dblink", "extension", "CREATE EXTENSION dblink SCHEMA irat", "DROP EXTENSION dblink"),
    _leak("foreign server", "foreign server", "CREATE EXTENSION postgres_fdw SCHEMA irat; "
          "CREATE SERVER leak FOREIGN DATA WRAPPER postgres_fdw", "DROP EXTENSION postgres_fdw CASCADE"),
    _leak("user mapping", "user mapping", "CREATE EXTENSION postgres_fdw SCHEMA irat; CREATE SERVER leak FOREIGN DATA "
          "WRAPPER postgres_fdw; CREATE USER MAPPING FOR {own} SERVER leak", "DROP EXTENSION postgres_fdw CASCADE"),
    _leak("operator", "operator", "CREATE OPERATOR irat.=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)",
          "DROP OPERATOR irat.=== (int, int)"),
    _leak("cast", "cast", "CREATE CAST (money AS text) WITH INOUT", "DROP CAST (money AS text)"),
]  # fmt: skip


# Of each kind, and of each plane that it shows on, the first: `make test` plants these, `make test-long` all.
TELLING = list({(leak.kind, leak.plane): leak for leak in reversed(LEAKS)}.values())[::-1]


@contextlib.contextmanager
def planted(cell: CellSql, leak: Leak, names: dict[str, str]) -> Iterator[None]:
    """The leak for the time of a block. `names`: a, b, B, own."""
    inside = leak.name.startswith("inside")
    options = {"database": names["a"] if inside else "postgres", "role": "postgres"}
    cell.script(leak.plant.format(**names) + ";", **options)
    try:
        yield
    finally:
        cell.script(leak.remove.format(**names) + ";", **options)
