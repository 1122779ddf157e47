"""A municipality's database, from an app server that somebody has taken over: with its own keys and the driver."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

import pytest

from inventory.names import Port
from tests.attack.foothold import DATABASE
from tests.attack.registry import Tries, Untried, attack, control
from tests.attack.target import Target

DENIED = "42501"  # insufficient_privilege


def attackers(target: Target) -> list[str]:
    """The systems whose servers are taken over: one that strangers talk to, and one of clerks."""
    return [target.public_systems[0], next(system for system in target.staff_systems if system != "keret")]


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    for system in attackers(target):
        answer = target.foothold(system).sql(target.own.role(system), ["SELECT count(*) FROM django_session"])
        control(answer[0].ok, f"{system}: {answer[0]}")


# Other databases


@attack("D01", "database", "every system's login at another municipality's database", short=True)
def test_other_municipality(target: Target, tries: Tries) -> None:
    for system in target.systems:
        foothold, user = target.foothold(system), target.own.role(system)
        answer = foothold.sql(user, ["SELECT 1"], database=target.other.tenant)[0]
        tries.holds(not answer.ok, f"{user} in {target.other.tenant}: {answer}")


@attack(
    "D02",
    "database",
    "a login at a database that is no municipality's",
    {
        "administration": "postgres",
        "templates": "asp_template",
        "first-template": "template1",
        "verifiers": "pbauth",
        "pooler-console": "pgbouncer",
    },
)
def test_other_databases(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, "SELECT 1", database=way)
        tries.holds(not answer.ok, f"{system}: {answer}")


@attack("D03", "database", "another system's login with one's own key, in one's own municipality and the other's")
def test_other_logins(target: Target, tries: Tries) -> None:
    for system in attackers(target):
        for other in target.systems:
            if other == system:
                continue
            for municipality in (target.own, target.other):
                program_user = municipality.role(other)
                answer = target.foothold(system).sql(program_user, ["SELECT 1"])[0]
                tries.holds(not answer.ok, f"{system} as {program_user}: {answer}")


@attack(
    "D04",
    "database",
    "an administrator's login",
    {
        "superuser": "postgres",
        "owner": "asp_owner",
        "provisioner": "asp_provisioner",
        "pooler": "asp_pooler",
        "replicator": "asp_replicator",
        "municipality": "{tenant}",
    },
)
def test_administrators(target: Target, tries: Tries, way: str) -> None:
    user = way.format(tenant=target.own.tenant)
    for system in attackers(target):
        for password in ("", "postgres", user):
            answer = target.foothold(system).sql(
                user, ["SELECT 1"], database=target.own.tenant, password=password or "x"
            )[0]
            tries.holds(not answer.ok, f"{system} as {user}: {answer}")


@attack("D05", "database", "the refusals tell which municipalities exist")
def test_refusals_tell_nothing(target: Target, tries: Tries) -> None:
    system = attackers(target)[0]
    foothold = target.foothold(system)
    texts = set()
    for tenant in (target.other.tenant, "t99999"):
        answer = foothold.sql(f"{tenant}_nincs", ["SELECT 1"], database=tenant, password="x")[0]
        texts.add(answer.text.replace(tenant, "T"))
    tries.holds(len(texts) == 1, texts)


@attack("D06", "database", "the database's own port, past the pooler")
def test_past_the_pooler(target: Target, tries: Tries) -> None:
    system = attackers(target)[0]
    for host in target.cell.postgres:
        answer = target.sql(system, "SELECT 1", host=host, port=int(Port.POSTGRES))
        tries.holds(not answer.ok, f"{host}: {answer}")


# Inside one's own municipality

SCHEMA_WAYS = {
    "read": "SELECT * FROM {schema}.django_session LIMIT 1",
    "write": "INSERT INTO {schema}.django_session VALUES ('a', 'b', now())",
    "remove": "DELETE FROM {schema}.django_session",
    "empty": "TRUNCATE {schema}.django_session",
    "lock": "LOCK TABLE {schema}.django_session IN ACCESS EXCLUSIVE MODE",
    "reference": "CREATE TEMPORARY TABLE x (LIKE {schema}.django_session)",
    "new-table": "CREATE TABLE {schema}.attack (id int)",
    "new-function": "CREATE FUNCTION {schema}.attack() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "trigger": "CREATE TRIGGER attack BEFORE INSERT ON {schema}.django_session FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "comment": "COMMENT ON TABLE {schema}.django_session IS 'attack'",
    "statistics": "ANALYZE {schema}.django_session;;SELECT most_common_vals FROM pg_stats "
    "WHERE schemaname = '{schema}' AND most_common_vals IS NOT NULL",
}


@attack("D10", "database", "the tables of another system of the same municipality", SCHEMA_WAYS, short=True)
def test_other_schemas(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        others = [other for other in target.systems if other != system]
        statements = [way.format(schema=other) for other in others]
        answers = target.foothold(system).sql(target.own.role(system), statements)
        for sql, answer in zip(statements, answers, strict=True):
            tries.holds(not answer.ok or ("pg_stats" in sql and not answer.rows), f"{system}: {sql}: {answer}")


OWN_WAYS = {
    "new-table": "CREATE TABLE attack (id int)",
    "change-table": "ALTER TABLE django_session ADD COLUMN x int",
    "remove-table": "DROP TABLE django_session",
    "new-schema": "CREATE SCHEMA attack",
    "public-schema": "CREATE TABLE public.attack (id int)",
    "bookkeeping": "SELECT * FROM asp_meta.migrations",
    "rule": "CREATE RULE attack AS ON INSERT TO django_session DO INSTEAD NOTHING",
    "index": "CREATE INDEX attack ON django_session (session_key)",
    "policy": "CREATE POLICY attack ON chain.message USING (true)",
    "row-security": "ALTER TABLE chain.message DISABLE ROW LEVEL SECURITY",
    "owner": "ALTER TABLE django_session OWNER TO CURRENT_USER",
    "grant": "GRANT SELECT ON django_session TO PUBLIC",
    "event-trigger": "CREATE EVENT TRIGGER attack ON ddl_command_end EXECUTE FUNCTION pg_catalog.now()",
}


@attack("D11", "database", "changing the structure of one's own schema", OWN_WAYS)
def test_own_structure(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, way)
        if way.startswith("GRANT") and answer.ok:  # PostgreSQL warns and grants nothing
            grants = target.superuser(
                f"SELECT count(*) FROM information_schema.role_table_grants WHERE table_schema = '{system}' "
                "AND table_name = 'django_session' AND grantee = 'PUBLIC';"
            )
            tries.holds(grants == [0], answer)
            continue
        tries.holds(not answer.ok, f"{system}: {answer}")


POWERS = {
    "become-superuser": "SET ROLE postgres",
    "become-owner": "SET ROLE asp_owner",
    "become-group": "SET ROLE {tenant}",
    "become-other": "SET ROLE {other}",
    "session-user": "SET SESSION AUTHORIZATION postgres",
    "superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
    "create-role": "CREATE ROLE attack LOGIN",
    "bypass-rls": "ALTER ROLE CURRENT_USER BYPASSRLS",
    "grant-member": "GRANT asp_owner TO CURRENT_USER",
    "no-limit": "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
    "other-password": "ALTER ROLE {other} PASSWORD 'x'",
    "system-setting": "!ALTER SYSTEM SET log_statement = 'all'",
    "new-database": "!CREATE DATABASE attack",
    "database-setting": "ALTER DATABASE {tenant} SET work_mem = '1GB'",
    "rename-database": "ALTER DATABASE {tenant} RENAME TO x",
    "copy-database": "!CREATE DATABASE attack TEMPLATE {foreign}",
    "tablespace": "!CREATE TABLESPACE attack LOCATION '/tmp'",
    "reload": "SELECT pg_reload_conf()",
    "rotate": "SELECT pg_rotate_logfile()",
    "checkpoint": "CHECKPOINT",
    "terminate": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user",
    "replication-slot": "SELECT pg_create_physical_replication_slot('attack')",
    "switch-log": "SELECT pg_switch_wal()",
    "backup": "SELECT pg_backup_start('attack')",
    "parameter": "SET log_statement = 'none'",
    "durability": "SET synchronous_commit = off",
    "replica-role": "SET session_replication_role = replica",
}


@attack("D12", "database", "more power than a login has", POWERS, short=True)
def test_powers(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        sql = way.format(tenant=target.own.tenant, other=target.own.role("keret"), foreign=target.other.tenant)
        answer = target.sql(system, sql)
        # A member of no group sees nobody else's sessions, so ending "all of them" ends none.
        nothing = answer.ok and "terminate" in sql and not any(row[0] for row in answer.rows)
        tries.holds(not answer.ok or nothing, f"{system}: {sql}: {answer}")


FILES = {
    "read-file": "SELECT pg_read_file('/etc/passwd')",
    "read-binary": "SELECT pg_read_binary_file('/etc/passwd')",
    "list-folder": "SELECT pg_ls_dir('/')",
    "logs": "SELECT pg_ls_logdir()",
    "wal": "SELECT pg_ls_waldir()",
    "copy-from": "CREATE TEMPORARY TABLE x (t text);;COPY x FROM '/etc/passwd'",
    "copy-to": "COPY (SELECT 1) TO '/tmp/attack'",
    "copy-program": "COPY (SELECT 1) TO PROGRAM 'id'",
    "copy-from-program": "CREATE TEMPORARY TABLE x (t text);;COPY x FROM PROGRAM 'id'",
    "import-object": "SELECT lo_import('/etc/passwd')",
    "export-object": "SELECT lo_export(1, '/tmp/attack')",
    "dblink": "CREATE EXTENSION dblink",
    "foreign-data": "CREATE EXTENSION postgres_fdw",
    "file-data": "CREATE EXTENSION file_fdw",
    "language": "CREATE EXTENSION plpython3u",
    "c-function": "CREATE FUNCTION attack() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'getpid'",
    "load": "LOAD '/lib/x86_64-linux-gnu/libc.so.6'",
    "hba": "SELECT * FROM pg_hba_file_rules",
    "settings-file": "SELECT * FROM pg_file_settings",
}


@attack("D13", "database", "the server's files and programs", FILES, short=True)
def test_files(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, way)
        tries.holds(not answer.ok, f"{system}: {answer}")


SECRETS = {
    "verifiers": "SELECT rolname, rolpassword FROM pg_authid",
    "shadow": "SELECT * FROM pg_shadow",
    "user-mappings": "SELECT * FROM pg_user_mapping",
    "subscriptions": "SELECT subconninfo FROM pg_subscription",
    "get-auth": "SELECT * FROM pgb.get_auth('postgres')",
    "large-objects": "SELECT * FROM pg_largeobject",
    "statistics": "SELECT * FROM pg_statistic LIMIT 1",
}


@attack("D14", "database", "what the catalogues keep secret", SECRETS)
def test_secrets(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, way)
        tries.holds(not answer.ok, f"{system}: {answer}")


# What falls today stands in the findings: the database's own metadata


@attack(
    "D20",
    "database",
    "the catalogues name other municipalities, their facts or what they do",
    {
        "facts": "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname <> current_database() "
        "AND shobj_description(oid, 'pg_database') IS NOT NULL AND datname ~ '^t[0-9]{{5}}$'",
        "activity": "SELECT datname, usename FROM pg_stat_activity WHERE datname ~ '^t[0-9]{{5}}' "
        "AND datname <> current_database()",
        "busyness": "SELECT datname, xact_commit FROM pg_stat_database WHERE datname ~ '^t[0-9]{{5}}' "
        "AND datname <> current_database()",
        "locks": "SELECT count(*) FROM pg_locks",
        "lock-function": "SELECT count(*) FROM pg_lock_status()",
        "blocking": "SELECT pg_blocking_pids(pg_backend_pid())",
        "prepared-transactions": "SELECT count(*) FROM pg_prepared_xacts",
        "replication-slots": "SELECT count(*) FROM pg_replication_slots",
        "sizes": "SELECT pg_database_size(datname) FROM pg_database WHERE datname = '{foreign}'",
        "statements": "SELECT s.query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
        "WHERE d.datname <> current_database()",
        "role-comments": "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles "
        "WHERE shobj_description(oid, 'pg_authid') IS NOT NULL",
        "settings": "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
        "WHERE d.datname ~ '^t[0-9]{{5}}' AND d.datname <> current_database()",
    },
)
def test_metadata_of_others(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, way.format(foreign=target.other.tenant))
        tries.holds(not answer.ok or not answer.rows, f"{system}: {answer}")


@attack(
    "D21",
    "database",
    "statistics views tell about other systems of the municipality",
    {
        "tables": "SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE schemaname <> current_schema() "
        "AND n_live_tup > 0",
        "input-output": "SELECT relname FROM pg_statio_user_tables WHERE schemaname <> current_schema() "
        "AND heap_blks_hit > 0",
        "columns": "SELECT attname FROM pg_stats WHERE schemaname <> current_schema() AND schemaname NOT LIKE 'pg%' "
        "AND schemaname NOT IN ('information_schema', 'chain')",
    },
)
def test_statistics_views(target: Target, tries: Tries, way: str) -> None:
    system = attackers(target)[0]
    answer = target.sql(system, way)
    tries.holds(not answer.ok or not answer.rows, answer)


@attack(
    "D22",
    "database",
    "a login changes what holds for its own later sessions",
    {
        "password": "ALTER ROLE CURRENT_USER PASSWORD 'attack'",
        "statement-timeout": "ALTER ROLE CURRENT_USER SET statement_timeout = 0",
        "search-path": "ALTER ROLE CURRENT_USER SET search_path = pg_catalog",
        "in-database": "ALTER ROLE CURRENT_USER IN DATABASE {tenant} SET work_mem = '1GB'",
        "reset": "ALTER ROLE CURRENT_USER RESET ALL",
        "valid-until": "ALTER ROLE CURRENT_USER VALID UNTIL '2000-01-01'",
    },
)
def test_own_settings(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, way.format(tenant=target.own.tenant))
        tries.holds(not answer.ok, f"{system}: {answer}")


@attack(
    "D23",
    "database",
    "large objects, which no schema's rights hold",
    {
        "create": "SELECT lo_create(0)",
        "from-bytes": "SELECT lo_from_bytea(0, 'x')",
    },
)
def test_large_objects(target: Target, tries: Tries, way: str) -> None:
    for system in attackers(target):
        answer = target.sql(system, way)
        tries.holds(not answer.ok and answer.code in (DENIED, "0A000"), f"{system}: {answer}")


@attack("D24", "database", "one query fills the disk that all municipalities share")
def test_temporary_files(target: Target, tries: Tries) -> None:
    for system in attackers(target):
        answer = target.sql(system, "SHOW temp_file_limit")
        control(answer.ok, answer)
        tries.holds(answer.rows[0][0] != "-1", f"{system}: temp_file_limit {answer.rows[0][0]}")
        attempt = target.sql(system, "SET temp_file_limit = -1")
        tries.holds(not attempt.ok, f"{system}: {attempt}")


@attack("D25", "database", "one statement that runs for ever, or a transaction that idles for ever")
def test_time_limits(target: Target, tries: Tries) -> None:
    names = ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
    for system in attackers(target):
        answers = target.foothold(system).sql(target.own.role(system), [f"SHOW {name}" for name in names])
        for name, answer in zip(names, answers, strict=True):
            control(answer.ok, answer)
            tries.holds(answer.rows[0][0] not in ("0", "-1"), f"{system}: {name} {answer.rows[0][0]}")


@attack("D26", "database", "one system holds all connections of its municipality's database")
def test_connections(target: Target, tries: Tries) -> None:
    system = attackers(target)[0]
    other = target.foothold("keret" if system != "keret" else "irat")
    program = f"""{DATABASE}
import threading, time
connections = []
def hold():
    try:
        c = connect({target.own.tenant!r}, {target.own.role(system)!r})
        c.autocommit = False
        c.execute("SELECT 1")
        connections.append(c)
    except psycopg.Error:
        pass
threads = [threading.Thread(target=hold, daemon=True) for _ in range(12)]
for t in threads: t.start()
time.sleep(12)  # while the other system asks
print(json.dumps(len(connections)))
"""
    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(target.foothold(system).run, program)
        sleep(3)
        start = monotonic()
        for _ in range(3):
            answer = other.sql(target.own.role("keret" if system != "keret" else "irat"), ["SELECT 1"])[0]
            tries.holds(answer.ok and monotonic() - start < 6, f"after {monotonic() - start:.1f} s: {answer}")
        control(holding.result() > 0, "no connection was held")


@attack("D27", "database", "the e-administration's login reads every taxpayer's balance")
def test_balances(target: Target, tries: Tries) -> None:
    if "elugy" not in target.systems or "ado" not in target.systems:
        raise Untried("the municipality has no e-administration with tax")
    views = target.register.systems["ado"].shares or {}
    for view in views:
        answer = target.sql("elugy", f"SELECT * FROM ado.{view} LIMIT 5")
        tries.holds(not answer.ok, f"ado.{view}: {answer}")


@attack("D28", "database", "public systems read who the clerks are")
def test_clerks(target: Target, tries: Tries) -> None:
    for system in target.public_systems:
        answer = target.sql(
            system,
            f"SELECT username, roles FROM keret.clerk_access WHERE EXISTS (SELECT FROM unnest(roles) r "
            f"WHERE r NOT LIKE '{system}.%')",
        )
        tries.holds(not answer.ok or not answer.rows, f"{system}: {answer}")


@attack(
    "D29",
    "database",
    "one municipality's session sees another's by the pooler's shared connections",
    {
        "setting": "SELECT set_config('asp.attack', 'x', false)",
        "temporary-table": "CREATE TEMPORARY TABLE attack (id int)",
        "prepared": "PREPARE attack AS SELECT 1",
        "listen": "LISTEN attack",
        "advisory-lock": "SELECT pg_advisory_lock(4711)",
    },
)
def test_pooled_sessions(target: Target, tries: Tries, way: str) -> None:
    system = attackers(target)[0]
    target.foothold(system).sql(target.own.role(system), [way], commit=True)
    look = [
        "SELECT current_setting('asp.attack', true)",
        "SELECT to_regclass('pg_temp.attack')",
        "SELECT name FROM pg_prepared_statements WHERE name = 'attack'",
        "SELECT pg_listening_channels()",
        "SELECT current_database()",
    ]
    other = "keret" if system != "keret" else "irat"
    answers = target.foothold(other).sql(target.other.role(other), look)
    control(answers[-1].ok, answers[-1])
    for sql, answer in zip(look[:-1], answers, strict=False):
        tries.holds(answer.ok and not any(row[0] for row in answer.rows), f"{sql}: {answer}")


@attack(
    "D30",
    "database",
    "a statement for another municipality's server connection by a crafted start-up packet",
    {
        "options": {"options": "-c role=asp_owner"},
        "search-path": {"options": "-c search_path=keret"},
        "replication": {"replication": "database"},
        "application-name": {"application_name": "x' OR 1=1"},
        "no-certificate": {"sslcert": "/dev/null", "sslkey": "/dev/null"},
        "no-encryption": {"sslmode": "disable"},
    },
)
def test_start_up(target: Target, tries: Tries, way: dict[str, str]) -> None:
    system = attackers(target)[0]
    arguments: dict[str, Any] = {**way}
    statement = "SELECT current_user, session_user"
    if {"sslcert", "sslmode"} & set(arguments):
        mode = f"sslmode={arguments.get('sslmode', 'require')!r}"
        program = DATABASE.replace('sslmode="verify-full"', mode)
        program = program.replace('sslcert="/run/secrets/tls.crt", sslkey="/run/secrets/tls.key",', "")
        call = f"try_all({target.own.tenant!r}, {target.own.role(system)!r}, ['SELECT 1'])"
        answer = target.foothold(system).run(f"{program}\nprint(json.dumps({call}, default=str))")[0]
        tries.holds(not answer["ok"], answer)
        return
    reply = target.sql(system, statement, **arguments)
    tries.holds(not reply.ok or reply.rows[0] == [target.own.role(system)] * 2, reply)
    # The pooler gives a refusal of the database's to one more client of the same login, and to nobody else.
    target.sql(system, statement)
    tries.holds(target.sql(system, statement).ok, "the login's own connections work again")
