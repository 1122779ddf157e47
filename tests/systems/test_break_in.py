"""What whoever holds one system's login can do to the rest of its municipality: each of these was done by an attacker.

The login is the system's own, as its app server has it; the node is the product's image with the product's settings.
"""

import json

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from systems.ado.models import Return
from systems.chain import messages, relay
from systems.core import clerk_access, facts
from systems.keret.models import Activity, Grant, Presence, User
from systems.shared import messages as allowed
from tests.systems.support import OURS, SYSTEMS

NOW = timezone.now


def run(sql, *values):
    """Rows of a statement in a transaction of its own, as the system that is being played; none when it gives none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def refusal(sql, *values):
    """PostgreSQL's words."""
    with pytest.raises(DatabaseError) as error:
        run(sql, *values)
    return str(error.value)


def forge(topic, body, target="keret"):
    """Write a message as an attacker does: past `send`, which would refuse."""
    run(
        "INSERT INTO chain.message (source, target, topic, key, body) "
        "VALUES (split_part(current_user::text, '_', 2), %s, %s, 'k', %s)",
        target,
        topic,
        json.dumps(body, default=str),
    )


def dead(node):
    with node.superuser(f"t{OURS}") as session:
        return [reason for (reason,) in session.execute("SELECT reason FROM chain.dead")]


@pytest.fixture
def substitute(serve):
    """A clerk without roles who substitutes a colleague without roles."""
    with serve("keret"):
        colleague = User.objects.create(username="minta.ilona", name="Minta Ilona")
        clerk = User.objects.create(username="mas.mihaly", name="Más Mihály")
        Grant.objects.create(
            user=clerk,
            kind="substitution",
            substitutes=colleague,
            until=NOW() + timezone.timedelta(days=1),
            given_by="x",
        )


def test_a_forged_sign_in_makes_nobody_administrator_of_another_system(substitute, serve, node):
    with serve("portal"):
        roles = ["keret.adminisztrator", "ado.ugyintezo"]
        forge("signed-in", {"username": "minta.ilona", "name": "Hamis Név", "roles": roles, "at": NOW()})
    with serve("keret"):
        relay.deliver()
        assert clerk_access.fetch("mas.mihaly").roles == ()
        assert User.objects.get(username="minta.ilona").name == "Minta Ilona"
    assert dead(node) == ["portal says that a clerk has roles of other systems: ado.ugyintezo, keret.adminisztrator"]


def test_a_sign_in_gives_the_roles_of_its_own_system_and_keeps_the_others(substitute, serve):
    with serve("keret"), transaction.atomic():
        body = {"username": "minta.ilona", "name": "Minta Ilona", "at": NOW()}
        messages.send("keret", "signed-in", body | {"roles": ["keret.felhasznalo", "ado.olvaso"]}, "a")
    with serve("portal"), transaction.atomic():
        messages.send("keret", "signed-in", body | {"roles": ["portal.szerkeszto"], "name": "Más Név"}, "a")
    with serve("keret"):
        assert relay.deliver() == 2
        user = User.objects.get(username="minta.ilona")
        assert user.token_roles == ["ado.olvaso", "keret.felhasznalo", "portal.szerkeszto"]
        assert user.name == "Minta Ilona", "only the framework's own sign-in changes it"


def test_nobody_is_signed_out_by_message(substitute, serve):
    with serve("portal"):
        words = refusal(
            "INSERT INTO chain.message (source, target, topic, key, body) "
            "VALUES ('portal', 'keret', 'signed-out', 'k', '{}')"
        )
    assert "row-level security policy" in words


def test_a_session_is_kept_in_use_only_in_the_system_that_says_so(serve):
    with serve("keret"):
        Presence.objects.create(username="minta.ilona", system="irat", began_at=NOW())
    with serve("portal"):
        forge("present", {"username": "minta.ilona", "at": NOW()})
    with serve("keret"):
        assert relay.deliver() == 1
        assert Presence.objects.get().seen_at is None


def test_a_line_of_the_log_says_which_system_wrote_it(serve):
    with serve("portal"):
        body = {"username": "minta.ilona", "name": "Minta Ilona", "action": "kivetés", "subject": "1", "at": NOW()}
        forge("activity", body | {"system": "ado", "source": "ado"})
    with serve("keret"):
        relay.deliver()
        assert Activity.objects.get().system == "portal"


def test_a_forged_import_writes_nothing_not_even_from_migration(serve, node):
    files = {"felhasznalok.csv": [{"felhasznalonev": "sec.import", "nev": "X", "munkakor": "", "email": ""}]}
    with serve("migration"):
        forge("import-apply", {"package": 7, "files": files})
    with serve("keret"):
        relay.deliver()
        assert not User.objects.filter(username="sec.import").exists()
    assert dead(node) == ["package 7: not approved by a second person, or already written here"]


def test_who_uploaded_a_package_cannot_be_who_approved_it(serve):
    with serve("migration"):
        words = refusal(
            "INSERT INTO package (name, sha256, content, balances, state, uploaded_at, uploaded_by, uploader, "
            "applied_by, approver) VALUES ('a', 'a', '', '{}', 'applying', now(), 'a', 'egy', 'a', 'egy')"
        )
    assert "approved_by_another" in words


def test_only_records_hand_out_cases_and_only_the_system_of_a_case_speaks_of_it(serve, node):
    from tests.systems.elugy.support import citizen, submit
    from tests.systems.elugy.test_forms import HIPA

    with serve("portal"):
        sql = "INSERT INTO chain.message (source, target, topic, key, body) VALUES ('portal', 'ado', 'case', 'k', '{}')"
        assert "row-level security policy" in refusal(sql)
    with serve("ado"):
        assert not Return.objects.exists()
    submit(citizen(), "hipa", HIPA)
    with serve("elugy"):
        ((pk,),) = run("SELECT id FROM submission WHERE arrival_number IS NOT NULL")
    body = {"submission": str(pk), "number": "", "text": "x", "at": NOW()}
    with serve("iparker"):
        forge("status", body | {"status": "in-progress"}, "elugy")
    with serve("ado"):
        forge("status", body | {"status": "decided"}, "elugy")
    with serve("elugy"):
        relay.deliver()
    first, second = sorted(dead(node))
    assert first.startswith("ado says 'decided' of a case that ado deals with")
    assert second.startswith("iparker says 'in-progress' of a case that ado deals with")


def test_a_balance_is_asked_for_one_by_one_and_the_question_is_kept(serve):
    with serve("elugy"):
        run("SELECT * FROM ado.balance_of(%s)", "8472013951")
        for sql in ("SELECT * FROM ado.citizen_balance", "DELETE FROM ado.balance_question"):
            assert "permission denied" in refusal(sql)
    with serve("ado"):
        assert run("SELECT system, identifier FROM balance_question") == [("elugy", "8472013951")]
        for sql in ("DELETE FROM balance_question", "UPDATE balance_question SET system = 'ado'"):
            assert "never change" in refusal(sql)


def test_public_systems_see_a_clerks_roles_in_themselves_alone(serve):
    with serve("keret"):
        User.objects.create(username="a", name="A", token_roles=["x"])
        clerk = User.objects.create(username="b", name="B", managed=True)
        for system, role in (("portal", "szerkeszto"), ("ado", "ugyintezo"), ("keret", "adminisztrator")):
            Grant.objects.create(user=clerk, kind="permanent", system=system, role=role, given_by="x")
    for system, roles in (
        ("portal", ("portal.szerkeszto",)),
        ("elugy", ()),
        ("keret", ("ado.ugyintezo", "keret.adminisztrator", "portal.szerkeszto")),
    ):
        with serve(system):
            assert clerk_access.fetch("b").roles == roles, system


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER ROLE CURRENT_USER PASSWORD 'x'",
        "ALTER ROLE CURRENT_USER SET statement_timeout = 0",
        "ALTER ROLE CURRENT_USER SET search_path = pg_catalog",
        "ALTER ROLE CURRENT_USER IN DATABASE t16054 SET work_mem = '1GB'",
        "ALTER ROLE CURRENT_USER RESET ALL",
        "ALTER USER CURRENT_USER PASSWORD NULL",
        "ALTER DATABASE t16054 SET search_path = pg_catalog",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE CURRENT_USER RESET ALL'; END $$",
    ],
)
def test_a_login_changes_neither_its_password_nor_its_settings_for_later(serve, sql):
    with serve("portal"):
        assert "permission denied to change a role or a database's settings" in refusal(sql)


def test_a_login_may_set_for_its_own_session_what_it_likes_but_not_how_much_it_spills(serve):
    with serve("portal"):
        run("SET LOCAL work_mem = '8MB'")
        assert run("SHOW temp_file_limit") == [("256MB",)]
        assert 'permission denied to set parameter "temp_file_limit"' in refusal("SET temp_file_limit = -1")
        spill = "SELECT count(*) FROM (SELECT repeat('x', 900) t FROM generate_series(1, 400000) n ORDER BY t, n) s"
        assert "temporary file size exceeds temp_file_limit" in refusal(spill)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT datname, usename FROM pg_stat_activity",
        "SELECT datname, tup_inserted FROM pg_stat_database",
        "SELECT * FROM pg_stat_get_activity(NULL)",
        "SELECT pg_stat_get_db_tuples_inserted(oid) FROM pg_database",
        "SELECT * FROM pg_stat_ssl",
        "SELECT * FROM pg_stat_progress_vacuum",
        "SELECT pg_stat_get_backend_dbid(1)",
        "SELECT * FROM pg_locks",
        "SELECT * FROM pg_lock_status()",
        "SELECT pg_blocking_pids(1)",
        "SELECT pg_safe_snapshot_blocking_pids(1)",
        "SELECT * FROM pg_prepared_xacts",
        "SELECT * FROM pg_prepared_xact()",
        "SELECT * FROM pg_replication_slots",
        "SELECT * FROM pg_get_replication_slots()",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
    ],
)
def test_a_login_sees_nothing_of_others_activity_and_makes_no_large_objects(serve, sql):
    with serve("portal"):
        assert "permission denied" in refusal(sql)


def test_no_other_municipality_has_a_name_in_what_a_login_can_list(serve):
    with serve("portal"):
        rows = run("SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname ~ '^t[0-9]'")
        assert {name for name, _ in rows} >= {"t16054", "t14915"}
        assert [comment for _, comment in rows if comment] == []
        roles = run("SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname ~ '^t[0-9]'")
        assert [comment for _, comment in roles if comment] == []
        assert facts.of_tenant().name == "Sajószentpéter", "its own it knows"


def test_a_login_reads_and_writes_exactly_what_is_its_own_or_shared(serve, node):
    """Every relation and shared function of the database, tried from every login: nothing beyond the table."""
    from centre.isolation.break_in import reach
    from inventory.register import load

    rows = {row.system: row for row in reach(load("test"))}
    with node.superuser(f"t{OURS}") as session:
        relations = session.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE relkind IN ('r', 'v', 'm', 'p') AND nspname !~ '^(pg_|information_schema)'"
        ).fetchall()
        functions = session.execute(
            "SELECT n.nspname, p.proname || '(' || oidvectortypes(proargtypes) || ')' FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname !~ '^(pg_|information_schema)' "
            "AND prosecdef AND p.proacl IS NOT NULL"
        ).fetchall()
    assert len(relations) > 100 and functions
    for system in SYSTEMS:
        names = set()
        with serve(system):
            ((readable,),) = run(
                "SELECT json_agg(x) FROM (SELECT n.nspname || '.' || c.relname AS x FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'v', 'm', 'p') "
                "AND nspname !~ '^(pg_|information_schema)' AND has_schema_privilege(n.oid, 'USAGE') "
                "AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')) s"
            )
            names.update(readable)
            ((callable_,),) = run(
                "SELECT coalesce(json_agg(x), '[]') FROM (SELECT n.nspname || '.' || p.proname || '(' || "
                "oidvectortypes(proargtypes) || ')' AS x FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace "
                "WHERE nspname !~ '^(pg_|information_schema)' AND prosecdef AND proacl IS NOT NULL "
                "AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')) s"
            )
            names.update(callable_)
        own = {f"{schema}.{name}" for schema, name in relations if schema == system}
        chain = {f"chain.{name}" for schema, name in relations if schema == "chain"}
        assert names == own | chain | set(rows[system].reads) | set(rows[system].calls), system


def test_what_a_login_may_send_is_what_the_table_says(serve):
    from centre.isolation.break_in import reach
    from inventory.register import load

    rows = {row.system: row for row in reach(load("test"))}
    topics = sorted({(target, topic) for _, target, topic in allowed.ALLOWED})
    for system in SYSTEMS:
        accepted = set()
        for target, topic in topics:
            with serve(system):
                try:
                    with transaction.atomic():
                        forge(topic, {}, target)
                        accepted.add((target, topic))
                        transaction.set_rollback(True)
                except DatabaseError as error:
                    assert "row-level security policy" in str(error)
        assert accepted == set(rows[system].sends), system
