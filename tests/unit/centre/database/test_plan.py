"""What must change is computed right: nothing for what is right, every deviation is seen, and no secret is shown."""

import contextlib
import copy
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centre.database import apply as tenants
from centre.database import plan, reading
from centre.database.migrations import Migration, MigrationFault, parse
from centre.database.plan import PlanFault, TenantDatabase
from centre.database.reading import Inside, Shared
from centre.reach.runtime import RuntimeFault
from inventory.models import Caps
from inventory.register import load
from stacks.configs.postgres import TEMPLATE
from tests.support.registers import altered

MIGRATIONS = [Migration("keret", "0001", "CREATE TABLE a ();"), Migration("irat", "0001", "CREATE TABLE b ();")]
APPLIED = frozenset(migration.key for migration in MIGRATIONS)


def tenant(code="16054", systems=("irat", "keret")):
    return TenantDatabase(f"t{code}", {system: f"SCRAM-SHA-256$secret-{code}-{system}" for system in systems})


def right(*tenants):
    """State of a cell that holds exactly `tenants`: (shared, insides)."""
    databases, roles, insides = {}, {}, {}
    for one in tenants:
        acl = [["asp_owner", p] for p in ("CREATE", "TEMPORARY", "CONNECT")] + [[one.name, "CONNECT"]]
        databases[one.name] = {"oid": 1, "owner": "asp_owner", "open": True, "broken": False, "limit": 8, "acl": acl}
        roles[one.name] = role(login=False, limit=-1)
        for login, system in one.logins.items():
            roles[login] = role(
                login=True,
                limit=one.connections_of_login,
                verifier=one.verifiers[system],
                settings=[f"{key}={value}" for key, value in one.settings(system).items()],
                member_of=[[one.name, True, False]],
            )
        insides[one.name] = Inside(migrations=APPLIED)
    return Shared(databases, roles), insides


def role(**changes):
    row = {"login": False, "powers": [], "limit": -1, "verifier": None, "member_of": []}
    return row | {"settings": [], "settings_in": []} | changes


def steps_for(one, shared, insides):
    return plan.present_steps([one], shared, insides, MIGRATIONS)


systems = st.lists(st.sampled_from(["irat", "keret", "ado", "gazd"]), unique=True, min_size=1)
codes = st.from_regex(r"\A[0-9]{5}\Z").filter(str.isascii)


@given(st.lists(codes, unique=True, min_size=1, max_size=4), systems)
def test_what_is_right_needs_no_step(numbers, ids):
    tenants = [tenant(number, ids) for number in numbers]
    shared, insides = right(*tenants)
    assert plan.present_steps(tenants, shared, insides, MIGRATIONS) == []


def test_a_new_tenant_is_closed_until_its_rights_are_right():
    subject = tenant()
    steps = plan.present_steps([subject], Shared({}, {}), {}, MIGRATIONS)
    sql = plan.script(steps)
    assert sql.index('CREATE DATABASE "t16054"') < sql.index("ALLOW_CONNECTIONS true")
    assert "ALLOW_CONNECTIONS false" in sql.partition('CREATE DATABASE "t16054"')[2].partition(";")[0]
    opening = next(step for step in steps if "ALLOW_CONNECTIONS true" in step.sql)
    assert opening.sql.startswith("BEGIN;")
    assert opening.sql.index("REVOKE ALL") < opening.sql.index("ALLOW_CONNECTIONS true") < opening.sql.index("COMMIT;")


# What is different, and the SQL that puts it right, each at least.
DEVIATIONS = {
    "role is gone": (lambda s: s.roles.pop("t16054_irat"), ['CREATE ROLE "t16054_irat"', 'GRANT "t16054" TO']),
    "group is gone": (lambda s: s.roles.pop("t16054"), ['CREATE ROLE "t16054"', 'ALTER ROLE "t16054" NOLOGIN;']),
    "password was changed": (
        lambda s: s.roles["t16054_irat"].update(verifier="SCRAM-SHA-256$other"),
        ["PASSWORD 'SCRAM-SHA-256$secret-16054-irat'"],
    ),
    "search_path was changed": (
        lambda s: s.roles["t16054_irat"].update(settings=["search_path=keret"]),
        ['ALTER ROLE "t16054_irat" RESET ALL', "SET search_path = 'irat'", "SET statement_timeout = '30s'"],
    ),
    "limit was lifted": (lambda s: s.roles["t16054_irat"].update(limit=-1), ["LOGIN CONNECTION LIMIT 4 PASSWORD"]),
    "a time-out was set away": (
        lambda s: s.roles["t16054_irat"]["settings"].remove("statement_timeout=30s"),
        ["SET statement_timeout = '30s'"],
    ),
    "a setting was added": (
        lambda s: s.roles["t16054_irat"]["settings"].append("work_mem=1GB"),
        ['ALTER ROLE "t16054_irat" RESET ALL', "SET search_path = 'irat'"],
    ),
    "settings of one database": (
        lambda s: s.roles["t16054_irat"]["settings_in"].append("t16054"),
        ['ALTER ROLE "t16054_irat" IN DATABASE "t16054" RESET ALL'],
    ),
    "a setting of a group": (
        lambda s: s.roles["t16054"].update(settings=["work_mem=1GB"]),
        ['ALTER ROLE "t16054" RESET ALL'],
    ),
    "database's limit was lifted": (
        lambda s: s.databases["t16054"].update(limit=-1),
        ['ALTER DATABASE "t16054" CONNECTION LIMIT 8'],
    ),
    "group may log in": (lambda s: s.roles["t16054"].update(login=True), ['ALTER ROLE "t16054" NOLOGIN']),
    "login may not log in": (lambda s: s.roles["t16054_irat"].update(login=False), ['ALTER ROLE "t16054_irat" LOGIN']),
    "role became mighty": (
        lambda s: s.roles["t16054_irat"].update(powers=["CREATEDB", "REPLICATION"]),
        ["NOCREATEDB NOREPLICATION"],
    ),
    "group became mighty": (
        lambda s: s.roles["t16054"].update(powers=["CREATEROLE"]),
        ['ALTER ROLE "t16054" NOLOGIN NOCREATEROLE'],
    ),
    "role joined another tenant": (
        lambda s: s.roles["t16054_irat"]["member_of"].append(["t14784", True, False]),
        ['REVOKE "t14784" FROM "t16054_irat"'],
    ),
    "group joined another tenant": (
        lambda s: s.roles["t16054"]["member_of"].append(["t14784", True, False]),
        ['REVOKE "t14784" FROM "t16054"'],
    ),
    "role may set its group": (
        lambda s: s.roles["t16054_irat"].update(member_of=[["t16054", True, True]]),
        ['GRANT "t16054" TO "t16054_irat" WITH INHERIT TRUE, SET FALSE'],
    ),
    "role inherits nothing": (
        lambda s: s.roles["t16054_irat"].update(member_of=[["t16054", False, False]]),
        ['GRANT "t16054" TO "t16054_irat" WITH INHERIT TRUE, SET FALSE'],
    ),
    "another may connect": (
        lambda s: s.databases["t16054"]["acl"].append(["t14784_irat", "CONNECT"]),
        ['REVOKE ALL ON DATABASE "t16054" FROM "t14784_irat"'],
    ),
    "everybody may connect": (
        lambda s: s.databases["t16054"]["acl"].append(["PUBLIC", "CONNECT"]),
        ['REVOKE ALL ON DATABASE "t16054" FROM PUBLIC'],
    ),
    "the group may make schemas": (
        lambda s: s.databases["t16054"]["acl"].append(["t16054", "CREATE"]),
        ['REVOKE ALL ON DATABASE "t16054" FROM "t16054"', 'GRANT CONNECT ON DATABASE "t16054" TO "t16054"'],
    ),
    "nobody may connect": (
        lambda s: s.databases["t16054"]["acl"].pop(),
        ['GRANT CONNECT ON DATABASE "t16054" TO "t16054"'],
    ),
    "database is closed": (
        lambda s: s.databases["t16054"].update(open=False),
        ['ALTER DATABASE "t16054" ALLOW_CONNECTIONS true'],
    ),
    "database is gone": (
        lambda s: s.databases.pop("t16054"),
        ['CREATE DATABASE "t16054"', 'REVOKE ALL ON DATABASE "t16054" FROM PUBLIC', "CONNECTION LIMIT 8"],
    ),
    "a login of a former system": (
        lambda s: s.roles.update({"t16054_ado": role(login=True)}),
        ['DROP ROLE "t16054_ado"'],
    ),
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_every_deviation_is_mended_by_sql_that_undoes_it(name):
    subject = tenant()
    shared, insides = right(subject)
    shared = copy.deepcopy(shared)
    deviate, expected = DEVIATIONS[name]
    deviate(shared)
    steps = steps_for(subject, shared, insides)
    sql = plan.script(steps)
    position = -1
    for part in expected:  # in this order: a setting is reset before it is set, a right revoked before it is granted
        assert (position := sql.find(part, position + 1)) >= 0, f"{part} is not where it should be in:\n{sql}"
    assert all(step.before != step.after for step in steps)


def test_another_cap_changes_limits_and_settings_and_nothing_else():
    shared, insides = right(tenant())
    steps = steps_for(replace(tenant(), caps=Caps(connections=6, lock_seconds=5)), shared, insides)
    assert [(step.subject, step.before) for step in steps] == [
        ("role t16054_irat", "limit 4, lock_timeout 10s"),
        ("role t16054_keret", "limit 4, lock_timeout 10s"),
        ("database t16054 connections", "limit 8"),
    ]
    sql = plan.script(steps)
    assert "SET lock_timeout = '5s';" in sql
    assert 'ALTER ROLE "t16054_irat" LOGIN CONNECTION LIMIT 6 ' in sql
    assert 'ALTER DATABASE "t16054" CONNECTION LIMIT 12;' in sql


@pytest.mark.parametrize(
    ("extra", "sql"),
    [
        (("schema", "irat", "", "PUBLIC", "USAGE"), 'REVOKE USAGE ON SCHEMA "irat" FROM PUBLIC;'),
        (("table", "irat", "b", "t14784_irat", "SELECT"), 'REVOKE SELECT ON TABLE "irat"."b" FROM "t14784_irat";'),
        (
            ("function", "irat", "f(text)", "PUBLIC", "EXECUTE"),
            'REVOKE EXECUTE ON FUNCTION "irat"."f"(text) FROM PUBLIC;',
        ),
        (("sequence", "irat", "s", "x", "USAGE"), 'REVOKE USAGE ON SEQUENCE "irat"."s" FROM "x";'),
        (
            ("default", "irat", "r", "x", "SELECT"),
            'ALTER DEFAULT PRIVILEGES FOR ROLE asp_owner IN SCHEMA "irat" REVOKE SELECT ON TABLES FROM "x";',
        ),
    ],
)
def test_rights_that_nobody_asked_for_are_taken_back(extra, sql):
    subject = tenant()
    shared, _ = right(subject)
    (step,) = steps_for(subject, shared, {subject.name: Inside(APPLIED, extra=frozenset([extra]))})
    assert (step.sql, step.database) == (sql, "t16054")


def test_a_later_migration_reaches_a_tenant_that_exists():
    subject = tenant()
    shared, _ = right(subject)
    (step,) = steps_for(subject, shared, {subject.name: Inside(frozenset([("keret", "0001")]))})
    assert step.subject == "schema irat of t16054"
    assert step.sql.index("INSERT INTO asp_meta.migrations") < step.sql.index("CREATE TABLE b ();")


@given(st.sampled_from([*DEVIATIONS, None]))
def test_steps_show_no_secret_and_touch_no_other_tenant(name):
    subject, other = tenant(), tenant("14784")
    shared, insides = right(subject, other)
    shared = copy.deepcopy(shared)
    if name:
        DEVIATIONS[name][0](shared)
    else:
        shared, insides = right(other)
    steps = plan.present_steps([subject, other], shared, insides, MIGRATIONS)
    assert steps
    for step in steps:
        assert "secret" not in f"{step.subject} {step.before} {step.after} {step!r}"
        assert re.match(r"\S+ (of )?t16054|rights of \S+ in t16054|role t16054", step.subject), step.subject


def test_scripts_change_database_only_where_needed():
    steps = [
        plan.Statement("a", "", "", "A;"),
        plan.Statement("b", "", "", "B;", "t1"),
        plan.Statement("c", "", "", "C;", "t1"),
    ]
    there = '\\connect "t1" "asp_provisioner"'
    assert plan.script([*steps, steps[0]]) == f'A;\n{there}\nB;\nC;\n\\connect "pbauth" "asp_provisioner"\nA;\n'
    superuser = replace(steps[1], role="postgres")
    assert plan.script([superuser, steps[2]]) == f'\\connect "t1" "postgres"\nB;\n{there}\nC;\n'


def test_what_the_server_opens_to_everybody_is_closed_by_a_superuser():
    subject = tenant()
    shared, _ = right(subject)
    inside = Inside(APPLIED, open=frozenset({"pg_stat_activity", "lo_create(oid)"}))
    (step,) = steps_for(subject, shared, {subject.name: inside})
    assert (step.before, step.database, step.role) == (
        "2 views and functions of the server open to everybody",
        "t16054",
        "postgres",
    )
    assert plan.template_steps(MIGRATIONS, inside)[0].role == "postgres"


def test_facts_are_written_where_no_other_database_shows_them():
    subject = replace(tenant(), facts='{"name": "Sajószentpéter"}')
    shared, insides = right(subject)
    shared.databases["t16054"]["comment"] = subject.facts
    former, own = steps_for(subject, shared, insides)
    assert former.sql == 'COMMENT ON DATABASE "t16054" IS NULL;'
    assert "COMMENT ON SCHEMA chain IS" in own.sql and own.database == "t16054"
    del shared.databases["t16054"]["comment"]
    assert steps_for(subject, shared, {"t16054": Inside(APPLIED, facts=subject.facts)}) == []


def test_a_function_that_a_system_shares_is_granted_and_taken_back_by_its_types():
    subject = replace(tenant(systems=("ado", "elugy")), views=[("ado", "balance_of(text)", "elugy")])
    share = subject.shares[-1]
    assert (share.login, share.object, share.rights) == ("t16054_elugy", "balance_of(text)", ("EXECUTE",))
    sql = plan.script(plan.present_steps([subject], Shared({}, {}), {}, MIGRATIONS))
    assert 'GRANT EXECUTE ON FUNCTION "ado"."balance_of"(text) TO "t16054_elugy";' in sql


def test_a_view_is_shared_between_systems_that_the_municipality_has():
    views = [("ado", "open_items", "gazd"), ("irat", "cases", "keret"), ("keret", "clerks", "gazd")]
    subject = replace(tenant(systems=("gazd", "irat", "keret")), views=views)
    published = [(share.login, share.schema, share.object) for share in subject.shares if share.schema != "chain"]
    assert published == [("t16054_keret", "irat", "cases"), ("t16054_gazd", "keret", "clerks")]


def test_of_the_chain_every_login_may_read_and_add_and_change_nothing():
    chain = {share.object: share.rights for share in tenant().shares if share.login == "t16054_irat"}
    assert chain.pop("allowed") == ("SELECT",)
    assert chain == dict.fromkeys(("message", "receipt", "failure", "dead", "run"), ("SELECT", "INSERT"))


@pytest.mark.parametrize(
    ("missing", "parts"),
    [
        (("table", "irat", "b", "t16054_irat", "SELECT"), ['GRANT USAGE ON SCHEMA "irat" TO "t16054_irat"']),
        (
            ("table", "chain", "message", "t16054_irat", "INSERT"),
            ['GRANT SELECT, INSERT ON TABLE "chain"."message" TO "t16054_irat"'],
        ),
    ],
)
def test_a_right_that_is_missing_is_given_again_where_it_belongs(missing, parts):
    subject = tenant()
    shared, _ = right(subject)
    steps = steps_for(subject, shared, {subject.name: Inside(APPLIED, missing=frozenset([missing]))})
    sql = plan.script(steps)
    assert all(part in sql for part in parts)
    assert 'ALL TABLES IN SCHEMA "chain"' not in sql, "a share is not a schema"


def test_a_municipality_takes_its_share_of_connections_twice_while_the_pooler_replaces_some():
    subject = replace(tenant(), caps=Caps(connections=6))
    assert (subject.connections, subject.connections_of_login) == (12, 6)


def test_removal_takes_database_and_every_role():
    subject, other = tenant(), tenant("14784")
    shared, _ = right(subject, other)
    subjects = [step.subject for step in plan.absent_steps(["t16054"], shared)]
    assert subjects == ["database t16054", "role t16054_keret", "role t16054_irat", "role t16054"]
    assert plan.absent_steps(["t99999"], shared) == []


def test_removal_takes_what_restores_have_put_aside():
    subject, other = tenant(), tenant("14784")
    shared, _ = right(subject, other)
    row = shared.databases["t16054"]
    aside = ["t16054_before_20261123t130000z", "t16054_restoring"]
    shared.databases.update({name: {**row, "open": False, "acl": []} for name in aside})
    shared.databases["t14784_before_20261123t130000z"] = row
    steps = plan.absent_steps(["t16054"], shared)
    databases = [step.subject for step in steps if step.subject.startswith("database")]
    assert databases == ["database t16054", *(f"database {name}" for name in aside)]
    for name in ["t16054", *aside]:
        assert f'DROP DATABASE "{name}" WITH (FORCE)' in plan.script(steps)


def test_what_an_interrupted_removal_left_is_not_opened_again():
    subject = tenant()
    shared, insides = right(subject)
    shared.databases["t16054"]["broken"] = True
    with pytest.raises(PlanFault, match="removal was interrupted"):
        steps_for(subject, shared, insides)
    assert "ALTER DATABASE" not in plan.absent_steps(["t16054"], shared)[0].sql


def test_a_database_of_somebody_else_is_left_alone():
    subject = tenant()
    shared, insides = right(subject)
    shared.databases["t16054"]["owner"] = "postgres"
    with pytest.raises(PlanFault, match="its owner is postgres, wanted asp_owner"):
        steps_for(subject, shared, insides)


def test_a_name_that_is_no_tenant_is_refused():
    with pytest.raises(ValueError, match="wanted t and a 5-digit KSH code"):
        TenantDatabase('t16054"; DROP', {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Traceback", "wanted a JSON list"),
        ("[]", "printed no migration"),
        ('[{"system": "irat"}]', "wanted a JSON list"),
        (json.dumps([{"system": "irat", "version": "1", "sql": ""}] * 2), "comes twice"),
        (json.dumps([{"system": "irat", "version": "1", "sql": "BEGIN;\nSELECT 1;"}]), "'BEGIN;' in it"),
    ],
)
def test_migrations_that_cannot_be_applied_are_refused(text, message):
    with pytest.raises(MigrationFault, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("change", "reached"),
    [({}, True), ({"open": False}, False), ({"broken": True}, False), ({"open": False, "broken": True}, False)],
)
def test_only_a_whole_and_open_database_is_connected_to(change, reached):
    present = {"t16054": {"open": True, "broken": False} | change}
    assert reading.connectable(["t16054", "t14784"], present) == (["t16054"] if reached else [])


class Cell:
    """A cell that becomes right by scripts: every tenant of which one makes the database. `dies`: at which script."""

    cell_id = "baz1"

    def __init__(self, databases, monkeypatch):
        self.wanted, self.made, self.scripts, self.dies = databases, [], [], None
        monkeypatch.setattr(reading, "shared", self.shared)
        monkeypatch.setattr(reading, "inside", lambda *_: right(*self.made)[1] | {TEMPLATE: Inside(migrations=APPLIED)})

    lock = staticmethod(contextlib.nullcontext)

    def shared(self, cell, names):
        """Roles of those only who are asked for, as the cluster's catalogue tells them."""
        return right(*(one for one in self.made if one.name in names))[0]

    def script(self, sql):
        if len(self.scripts) == self.dies:
            raise RuntimeFault("killed")
        new = [one for one in self.wanted if f'CREATE DATABASE "{one.name}"' in sql]
        self.made += new
        self.scripts.append(len(new))


def test_many_tenants_are_made_in_batches_and_a_killed_run_is_completed(monkeypatch):
    many = [tenant(f"{number:05}") for number in range(110)]
    cell = Cell(many, monkeypatch)
    preview = tenants.ensure_present(cell, many, MIGRATIONS, check=True)
    assert cell.scripts == [] and sum(line.startswith("database") and "cloned" in line for line in preview.after) == 110
    cell.dies = 1
    with pytest.raises(RuntimeFault, match="killed"):
        tenants.ensure_present(cell, many, MIGRATIONS, check=False)
    assert cell.scripts == [20], "what one batch made is kept"
    cell.dies = None
    rest = tenants.ensure_present(cell, many, MIGRATIONS, check=False)
    assert cell.scripts == [20, 20, 20, 20, 20, 10]
    assert set(rest.after) < set(preview.after) and len(rest.after) == len(preview.after) * 90 // 110
    assert not tenants.ensure_present(cell, many, MIGRATIONS, check=False).changed


class Leaving(Cell):
    """A cell of which nothing goes away; `held`: whether somebody holds its lock."""

    def __init__(self, monkeypatch, goes=True):
        super().__init__([], monkeypatch)
        self.made, self.goes, self.held, self.sent = [tenant()], goes, False, []

    @contextlib.contextmanager
    def lock(self):
        self.held = True
        yield
        self.held = False

    def script(self, sql):
        assert self.held, "another writer may plan at the same moment"
        self.sent.append(sql)
        if self.goes:
            self.made = []


@pytest.mark.parametrize("check", [True, False])
def test_a_tenant_leaves_once_and_in_a_look_not_at_all(monkeypatch, check):
    cell = Leaving(monkeypatch)
    outcome = tenants.ensure_absent(cell, ["t16054"], check)
    assert outcome.changed and len(cell.sent) == (0 if check else 1)
    assert tenants.ensure_absent(cell, ["t16054"], check).changed is check


def test_what_did_not_go_is_a_fault(monkeypatch):
    with pytest.raises(PlanFault, match="still there: database t16054"):
        tenants.ensure_absent(Leaving(monkeypatch, goes=False), ["t16054"], False)


def test_a_tenant_that_does_not_become_right_is_a_fault_after_three_rounds(monkeypatch):
    cell = Leaving(monkeypatch)
    cell.made, cell.goes = [], False
    with pytest.raises(PlanFault, match="after 3 rounds still to do: role t16054: absent"):
        tenants.ensure_present(cell, [tenant()], MIGRATIONS, check=False)
    assert len(cell.sent) == 3


def test_what_logins_share_is_known_of_one_cells_municipalities_alone():
    register = load("test")
    other = altered(register, municipalities={"16054": register.municipality("16054").model_copy(update={"cell": "x"})})
    assert "t16054" in tenants.shared_rights(register, "baz1")
    assert "t16054" not in tenants.shared_rights(other, "baz1") and set(tenants.shared_rights(other, "x")) == {"t16054"}


def test_a_municipality_knows_of_the_others_of_its_office_in_its_cell():
    register = load("test")
    for municipality in register.municipalities.values():
        content = json.loads(tenants.facts(register, municipality))
        office = [m.ksh for m in register.municipalities.values() if m.office == municipality.office]
        near = {ksh for ksh in office if register.municipality(ksh).cell == municipality.cell} - {municipality.ksh}
        assert {other["ksh"] for other in content["others"]} == near
        assert content["name"] == municipality.name


def test_what_logins_share_is_known_of_every_municipality_of_the_cell():
    register = load("test")
    waiting = [m for m in register.municipalities.values() if m.cell == "baz1" and not m.joined]
    shared = tenants.shared_rights(register, "baz1")
    assert waiting and all(shared[municipality.tenant] for municipality in waiting)
