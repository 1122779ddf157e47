"""Sound tenants give no finding; every open door, right, power and object that is not the template's gives one."""

import pytest

from centre.isolation.findings import findings
from centre.isolation.reach import opens_tenants
from centre.isolation.reading import (
    Contents,
    Door,
    Facts,
    IdentityMap,
    Membership,
    ParameterGrant,
    Role,
    Setting,
    Tablespace,
    Thing,
)
from stacks.configs.postgres import BUSY, OWNER, PROVISIONER, REPLICATOR, TEMPLATE
from tests.support.country import door


def kinds(cell, where="cluster", shares=None):
    return {finding.kind for finding in findings(cell.facts, shares or {}) if finding.place == where}


def add_door(cell, rule):
    cell.change(doors=(*cell.cluster.doors, rule))


def with_template(cell):
    """The cell with the template that its tenants were cloned from."""
    objects = cell.facts.contents["t10000"].objects
    cell.facts = Facts(cell.cluster, {**cell.facts.contents, TEMPLATE: Contents(objects)})


def test_sound_tenants_give_none(cell):
    with_template(cell)
    shares = {
        name: frozenset((f"{name}_{system}", system, "", "USAGE") for system in ("irat", "keret"))
        for name in ("t10000", "t10001", "t10002")
    }
    assert findings(cell.facts, shares) == []


OPEN = {
    "all": door(databases="all"),
    "its name": door(databases="t10001"),
    "a pattern": door(databases="/^t1"),
    "its own user": door(databases="sameuser"),
    "the old name": door(databases="samegroup"),
    "a list": door(databases="pbauth,t10001"),
    "local for others": door("local", "all", method="peer"),
    "local without question": door("local", "all", "postgres", "trust"),
}


@pytest.mark.parametrize("case", OPEN)
def test_a_door_into_tenants_is_one(cell, case):
    assert opens_tenants(OPEN[case])
    add_door(cell, OPEN[case])
    assert kinds(cell) == {"door"}


@pytest.mark.parametrize("weak", [door("host"), door(method="md5"), door(method="trust"), door("hostnossl")])
def test_a_weak_door_is_one(cell, weak):
    add_door(cell, weak)
    assert kinds(cell) == {"door"}


@pytest.mark.parametrize(
    "safe", [door(), door(databases="replication", users="asp_replicator"), door(databases="all", method="reject")]
)
def test_a_safe_door_is_none(cell, safe):
    add_door(cell, safe)
    assert kinds(cell) == set()


def test_a_door_that_cannot_be_read_is_one(cell):
    add_door(cell, Door("", (), (), "", "", (), "invalid line"))
    assert kinds(cell) == {"door"}


def test_an_identity_map_to_a_tenant_is_one(cell):
    cell.change(maps=(IdentityMap("asp", "postgres", "t10001_irat"),))
    assert kinds(cell) == {"identity map"}


def test_a_right_of_another_is_one_and_says_whose(cell):
    with_template(cell)
    cell.grant("t10001", "relation", "irat", "document", "t10000_irat", "SELECT")
    (result,) = findings(cell.facts, {})
    assert str(result) == "t10001: right on relation: irat.document: SELECT for t10000_irat"


def test_a_shared_right_is_none_and_more_than_it_is_one(cell):
    with_template(cell)
    shares = {"t10001": frozenset({("t10001_irat", "chain", "message", "SELECT")})}
    cell.grant("t10001", "relation", "chain", "message", "t10001_irat", "SELECT")
    assert kinds(cell, "t10001", shares) == set()
    cell.grant("t10001", "relation", "chain", "message", "t10001_irat", "DELETE")
    assert kinds(cell, "t10001", shares) == {"right on relation"}


def test_an_object_that_is_not_the_templates_is_one(cell):
    with_template(cell)
    contents = cell.facts.contents["t10001"]
    changed = Contents((*contents.objects[1:], Thing("function", "irat.leak()", "t10000", "x")), contents.rights)
    cell.facts = Facts(cell.cluster, {**cell.facts.contents, "t10001": changed})
    assert kinds(cell, "t10001") == {"schema", "function", "owner of function"}


def test_an_object_that_differs_is_one(cell):
    with_template(cell)
    contents = cell.facts.contents["t10001"]
    changed = Contents((Thing("schema", "irat", OWNER, "other"), *contents.objects[1:]), contents.rights)
    cell.facts = Facts(cell.cluster, {**cell.facts.contents, "t10001": changed})
    assert [finding.detail for finding in findings(cell.facts, {})] == [f"irat: differs from {TEMPLATE}"]


def test_nodes_that_stream_from_each_other_are_none(cell):
    rules = [("replication", "cert"), ("postgres", "cert"), ("all", "reject")]
    cell.change(
        roles={**cell.cluster.roles, REPLICATOR: Role(REPLICATOR, True, frozenset({"REPLICATION"}))},
        maps=(IdentityMap("nodes", "asp-dev-baz1-postgres-1", REPLICATOR),),
        doors=(
            *cell.cluster.doors,
            *(door(databases=place, users=REPLICATOR, method=method) for place, method in rules),
        ),
    )
    assert kinds(cell) == set()
    add_door(cell, door(databases="all", users=REPLICATOR, method="cert"))
    assert kinds(cell) == {"door"}


def test_one_password_of_two_roles_is_one_and_names_both(cell):
    cell.change(same_password=(("t10000_irat", "t10001_irat"),))
    assert [str(finding) for finding in findings(cell.facts, {}) if finding.kind == "password"] == [
        "cluster: password: one for t10000_irat, t10001_irat"
    ]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"owner": "t10000"}, "owner of database"),
        ({"template": True}, "template"),
    ],
)
def test_a_database_that_is_anothers_or_may_be_copied_is_one(cell, change, kind):
    cell.database("t10001", **change)
    assert kind in kinds(cell)


@pytest.mark.parametrize("power", ["SUPERUSER", "CREATEDB", "BYPASSRLS"])
def test_a_power_of_a_login_is_one_and_the_hostings_own_is_none(cell, power):
    assert "power" not in kinds(cell)
    cell.role("t10000_irat", powers=frozenset({power}))
    assert kinds(cell) == {"power"}


@pytest.mark.parametrize(
    ("options", "sound"),
    [
        ((False, True, False), True),
        ((True, True, False), False),  # may admit others
        ((False, True, True), False),
        ((False, False, False), False),
    ],
)
def test_a_login_is_in_its_group_in_one_way_only(cell, options, sound):
    others = tuple(each for each in cell.cluster.members if each.member != "t10001_irat")
    cell.change(members=(*others, Membership("t10001_irat", "t10001", *options)))
    assert kinds(cell) == (set() if sound else {"membership"})


@pytest.mark.parametrize("member", ["t10000_irat", "t10001", "stranger"])
def test_another_member_of_a_group_is_one(cell, member):
    cell.change(members=(*cell.cluster.members, Membership(member, "t10001", False, True, False)))
    assert "membership" in kinds(cell)


def test_a_group_that_logs_in_is_one(cell):
    cell.role("t10001", login=True)
    assert kinds(cell) == {"login"}


@pytest.mark.parametrize("place", [("t10001", ""), ("", "t10001_irat")])
def test_a_setting_of_a_tenants_database_or_login_is_one(cell, place):
    cell.change(settings=(Setting(*place, "search_path=irat, evil"),))
    assert kinds(cell) == {"setting"}


@pytest.mark.parametrize(("role", "sound"), [(PROVISIONER, True), ("t10001_irat", False)])
def test_a_login_that_may_lift_its_own_limits_is_one(cell, role, sound):
    cell.change(parameters=(ParameterGrant(BUSY, role, "SET"),))
    assert kinds(cell) == (set() if sound else {"parameter"})


def test_a_tablespace_is_one(cell):
    cell.change(tablespaces=(Tablespace("beside", "postgres"),))
    assert kinds(cell) == {"tablespace"}


def test_a_share_of_what_is_to_come_is_one(cell):
    with_template(cell)
    shares = {"t10001": frozenset({("t10001_irat", "chain", "r", "SELECT")})}
    cell.grant("t10001", "default", "chain", "r", "t10001_irat", "SELECT")
    assert kinds(cell, "t10001", shares) == {"right on default"}


@pytest.mark.parametrize("privilege", ["TRUNCATE", "TRIGGER", "CREATE"])
def test_more_than_data_in_the_own_schema_is_one(cell, privilege):
    with_template(cell)
    cell.grant("t10001", "relation", "irat", "document", "t10001_irat", privilege)
    assert kinds(cell, "t10001") == {"right on relation"}


def test_a_role_of_the_hosting_is_none_in_its_own_database_and_one_in_a_tenants(cell):
    with_template(cell)
    cell.facts = Facts(cell.cluster, {**cell.facts.contents, "pbauth": Contents()})
    for database, sound in (("pbauth", True), ("t10001", False)):
        cell.grant(database, "relation", "irat", "document", "asp_watcher", "SELECT")
        assert kinds(cell, database) == (set() if sound else {"right on relation"})


def test_a_policy_that_is_gone_is_one(cell):
    with_template(cell)
    policy = Thing("policy", "chain.message.own", "", "x")
    template = cell.facts.contents[TEMPLATE]
    changed = Contents((*template.objects, policy), template.rights)
    cell.facts = Facts(cell.cluster, {**cell.facts.contents, TEMPLATE: changed})
    assert kinds(cell, "t10001") == {"policy"}
