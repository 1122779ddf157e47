"""Configuration of a PostgreSQL node as text: server settings, who may come in, pgBackRest, bootstrap SQL.

Plain Python: the components that make services of it are in `postgres_node.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inventory.names import Port
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.configs.scram import verifier
from stacks.configs.sql import identifier, literal

UID = 5432  # of user postgres in images `postgres` and `dbproxy`
DATA = "/data/pgdata"
OWNER = "asp_owner"  # owns every tenant's database and objects; nobody logs in as it
TEMPLATE = "asp_template"  # what a tenant's database is cloned from
AUTH_DATABASE = "pbauth"  # where PgBouncer asks for verifiers
POOLER = "asp_pooler"
BUSY = "asp_yield.busy"  # setting of a login: processor time after which its session stands back
TEMPORARY = "temp_file_limit"  # setting of a login: what one of its sessions may spill to the disk that all share
PROVISIONER = "asp_provisioner"  # makes tenants; no superuser; comes in by the local socket only
RESERVED_CONNECTIONS = 40  # superuser, provisioner, backup, replication, pooler's own


@dataclass(frozen=True)
class Server:
    """What differs between nodes. `memory`: the container's limit (MiB); `stanza`: pgBackRest's, None = no archive.

    `tenants`: sessions of municipalities come in, which may not give up durability.
    """

    memory: int
    max_connections: int
    stanza: str | None = None
    tenants: bool = True


@dataclass(frozen=True)
class Rule:
    """One `hostssl` line: who may reach which database by password; `mutual`: only with a certificate of our root."""

    database: str
    user: str
    mutual: bool = True


def postgresql_conf(server: Server) -> str:
    """`postgresql.conf` of a node without Patroni."""
    values = {"data_directory": DATA, **settings(server)}
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def settings(server: Server) -> dict[str, str | int]:
    """Server settings: TLS 1.3 only, SCRAM only, checkable archive, sizes after the container's memory."""
    values: dict[str, str | int] = {
        "hba_file": "/etc/asp/pg_hba.conf",
        "ident_file": "/etc/asp/pg_ident.conf",
        "listen_addresses": "*",
        "port": Port.POSTGRES.value,
        "unix_socket_directories": "/run/asp",
        "max_connections": server.max_connections,
        "ssl": "on",
        "ssl_cert_file": CERTIFICATE_FILE,
        "ssl_key_file": KEY_FILE,
        "ssl_ca_file": ROOT_FILE,
        "ssl_min_protocol_version": "TLSv1.3",
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{server.memory // 4}MB",
        "effective_cache_size": f"{server.memory * 3 // 4}MB",
        "maintenance_work_mem": "64MB",
        "work_mem": "4MB",
        "huge_pages": "off",
        "jit": "off",  # short queries on small tables only: compiling them costs more than running them
        "wal_level": "replica",
        "wal_log_hints": "on",  # a later standby can be rewound
        "max_wal_size": "1GB",
        # Crash start with 1,004 databases: 0.6 s instead of 36 s of fsync file by file.
        "recovery_init_sync_method": "syncfs",
        "idle_in_transaction_session_timeout": "5min",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_lock_waits": "on",
        # No statement's text, not of a slow one and not of a failed one: it holds what clerks wrote of people, and
        # roles' verifiers. Which are slow, pg_stat_statements says without what was in them.
        "log_min_duration_statement": -1,
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",  # a violated key's DETAIL names the row's values
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
        "log_timezone": "Europe/Budapest",
        "timezone": "Europe/Budapest",
        "lc_messages": "C.UTF-8",  # refusals are matched by their text
        "default_text_search_config": "pg_catalog.hungarian",
    }
    if server.tenants:
        # No session but a superuser's can have rows acknowledged that are not yet safe; one that keeps a processor busy
        # stands back; no login changes its own password or defaults (all three: stacks/images/postgres).
        values["shared_preload_libraries"] = "asp_durable,asp_guard,asp_yield,pg_stat_statements"
        values["pg_stat_statements.track_utility"] = "off"  # their text is kept whole: CREATE ROLE … PASSWORD
    if server.stanza:
        values |= {
            "archive_mode": "on",
            "archive_command": f"asp-pgbackrest-push {server.stanza} %p",
            "archive_timeout": "60s",  # at most a minute of an idle cell's work is not yet in the repository
        }
    return values


def _value(value: str | int) -> str:
    return str(value) if isinstance(value, int) else literal(value)


def pg_hba_conf(rules: Sequence[Rule], local: Sequence[str] = ("postgres",), nodes: Sequence[str] = ()) -> str:
    """`pg_hba.conf`: administration by the local socket, `rules` over TLS from the node's own networks, nobody else.

    `nodes`: services whose certificates may replicate; none where there is one node.
    """
    lines = [f"local all {role} peer map=asp" for role in local]
    if nodes:
        lines += [f"hostssl {place} {REPLICATOR} samenet cert map=nodes" for place in ("replication", "postgres")]
        lines += [f"hostssl all {REPLICATOR} all reject"]  # never by the general rule for members of a database's role
    for rule in rules:
        certificate = " clientcert=verify-ca" if rule.mutual else ""
        lines.append(f"hostssl {rule.database} {rule.user} samenet scram-sha-256{certificate}")
    return "".join(f"{line}\n" for line in lines)


def pg_ident_conf(local: Sequence[str] = ("postgres",), nodes: Sequence[str] = ()) -> str:
    """`pg_ident.conf`: the container's only user may be any `local` role, a node's certificate the replicator."""
    return "".join([*(f"asp postgres {role}\n" for role in local), *(f"nodes {node} {REPLICATOR}\n" for node in nodes)])


# Who reaches a cell's node, and how. `samerole` is the second wall behind CONNECT: a login must be a member of the
# role named like its database, so a grant planted by mistake opens nothing.
CELL_RULES = (Rule(AUTH_DATABASE, POOLER), Rule("samerole", "all"))
CELL_LOCAL = ("postgres", PROVISIONER)
REPLICATOR = "asp_replicator"  # streams between nodes and lets a former leader be rewound; by certificate only


@dataclass(frozen=True)
class Login:
    """A role with its own database, for a service that has a node to itself."""

    database: str
    role: str
    password: str = field(repr=False)


def bootstrap_login(login: Login) -> str:
    """Idempotent SQL: the role with its verifier, the database it owns, nothing for PUBLIC."""
    return "".join(
        [
            ensure_role(login.role, f"LOGIN PASSWORD {literal(verifier(login.password, login.role))}"),
            ensure_database(login.database, login.role),
            f"REVOKE ALL ON DATABASE {identifier(login.database)} FROM PUBLIC;\n",
            "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;\n",
        ]
    )


def bootstrap_cell(pooler_password: str, replicated: bool = False) -> str:
    """Idempotent SQL of a cell's cluster: owner, provisioner, pooler with its function, and the tenants' template.

    `replicated`: with the role by which nodes stream from each other and rewind.
    """
    pooler = literal(verifier(pooler_password, POOLER))
    return "".join(
        [
            bootstrap_replicator() if replicated else "",
            ensure_role(OWNER, "NOLOGIN"),
            ensure_role(PROVISIONER, "LOGIN CREATEDB CREATEROLE PASSWORD NULL"),
            ensure_role(POOLER, f"LOGIN PASSWORD {pooler} CONNECTION LIMIT 10"),
            f"GRANT {OWNER} TO {PROVISIONER} WITH INHERIT TRUE, SET TRUE;\n",
            f"ALTER ROLE {PROVISIONER} SET client_min_messages = warning;\n",
            f"ALTER ROLE {PROVISIONER} SET log_min_duration_statement = -1;\n",  # also while the others' are looked at
            f"GRANT SET ON PARAMETER {BUSY}, {TEMPORARY} TO {PROVISIONER};\n",
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;\n",
            f"GRANT pg_signal_backend TO {PROVISIONER};\n",  # a leaving tenant's sessions are ended
            "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;\n",
            ensure_database(AUTH_DATABASE, "postgres"),
            f"REVOKE ALL ON DATABASE {AUTH_DATABASE} FROM PUBLIC;\n",
            f"GRANT CONNECT ON DATABASE {AUTH_DATABASE} TO {POOLER}, {PROVISIONER};\n",
            ensure_database(TEMPLATE, OWNER),
            f"REVOKE ALL ON DATABASE {TEMPLATE} FROM PUBLIC;\n",
            f"\\connect {AUTH_DATABASE}\n",
            GET_AUTH,
            f"\\connect {TEMPLATE}\n",
            TEMPLATE_SQL,
            "RESET ROLE;\n",
            CLOSE_SQL,
        ]
    )


def bootstrap_replicator() -> str:
    """SQL of the role that streams and rewinds. pg_rewind reads files of the leader by four functions."""
    functions = (
        "pg_ls_dir(text, boolean, boolean)",
        "pg_stat_file(text, boolean)",
        "pg_read_binary_file(text)",
        "pg_read_binary_file(text, bigint, bigint, boolean)",
    )
    return "".join(
        [
            ensure_role(REPLICATOR, "LOGIN REPLICATION PASSWORD NULL"),
            f"GRANT CONNECT ON DATABASE postgres TO {REPLICATOR};\n",
            *(f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {REPLICATOR};\n" for function in functions),
        ]
    )


def ensure_role(role: str, attributes: str) -> str:
    """SQL (for psql) that makes a role if need be and sets its attributes in any case."""
    create = f"CREATE ROLE {identifier(role)}"
    missing = f"WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {literal(role)})"
    return f"SELECT {literal(create)} {missing} \\gexec\nALTER ROLE {identifier(role)} {attributes};\n"


def ensure_database(database: str, owner: str) -> str:
    """SQL (for psql) that makes a database if need be."""
    create = f"CREATE DATABASE {identifier(database)} OWNER {identifier(owner)} STRATEGY WAL_LOG"
    missing = f"WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = {literal(database)})"
    return f"SELECT {literal(create)} {missing} \\gexec\n"


# An unknown role gets a verifier that nothing opens, with a salt of its own that stays the same: the refusal then looks
# like a wrong password and tells nobody which tenants exist.
GET_AUTH = f"""\
CREATE SCHEMA IF NOT EXISTS pgb AUTHORIZATION postgres;
REVOKE ALL ON SCHEMA pgb FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA pgb TO {POOLER}, {PROVISIONER};
CREATE OR REPLACE FUNCTION pgb.get_auth(asked text, OUT usename text, OUT passwd text)
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog AS $body$
  SELECT asked, COALESCE(
    (SELECT rolpassword FROM pg_authid
      WHERE rolname = asked AND rolcanlogin AND NOT rolsuper AND rolname ~ '^t[0-9]{{5}}_[a-z]+$'),
    'SCRAM-SHA-256$4096:'
      || encode(substr(sha256(convert_to(asked || (SELECT system_identifier FROM pg_control_system()), 'UTF8')), 1, 16),
                'base64')
      || '$' || encode(sha256('stored'), 'base64') || ':' || encode(sha256('server'), 'base64'))
$body$;
REVOKE ALL ON FUNCTION pgb.get_auth(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgb.get_auth(text) TO {POOLER}, {PROVISIONER};
"""

TEMPLATE_SQL = f"""\
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS asp_meta AUTHORIZATION {OWNER};
SET ROLE {OWNER};
CREATE TABLE IF NOT EXISTS asp_meta.migrations (
  system text NOT NULL,
  version text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (system, version)
);
"""

# What PostgreSQL shows or gives everybody in every database, and no system needs: who is active, how much and on what
# (statistics, locks, prepared transactions, slots), in the whole cell and in other systems' tables, and files of any
# size (large objects) in a database where a login has rights on its own schema alone. A clone keeps what its template
# takes away; these lists say what that is.
_VIEWS = "^pg_stat(io)?_|^pg_(locks|prepared_xacts|replication_slots)$"
_COUNTERS = "^pg_stat_get_"
_ACTIVITY = "^pg_(lock_status|blocking_pids|safe_snapshot_blocking_pids|prepared_xact|get_replication_slots)$"
_LARGE_OBJECTS = "^lo_|^(loread|lowrite)$"

# Rows of what is still open to everybody: (kind, name as GRANT takes it).
OPEN_SQL = f"""\
  SELECT 'TABLE' AS kind, c.oid::regclass::text AS name FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relname ~ {literal(_VIEWS)}
      AND has_table_privilege('public', c.oid, 'SELECT')
  UNION ALL
  SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
      AND p.proname ~ {literal(f"{_COUNTERS}|{_ACTIVITY}|{_LARGE_OBJECTS}")}
      AND has_function_privilege('public', p.oid, 'EXECUTE')"""

# Closes them for everybody, in the database where a superuser runs it (idempotent).
CLOSE_SQL = f"""\
SELECT format('REVOKE ALL ON %s %s FROM PUBLIC', kind, name) FROM (
{OPEN_SQL}) open_to_all \\gexec
"""
