"""What readiness checks ask: who may connect by whatever way, what logins may do inside, who owns what."""

import pytest

from centre.isolation import audit
from centre.isolation.reading import Contents, Facts, Grant, Membership, Role, Thing
from stacks.configs.postgres import OWNER, PROVISIONER


def connect(cell, tenant="t10001"):
    return audit.entry(cell.cluster).connect[tenant]


def test_a_sound_tenant_lets_its_own_in(cell):
    entry = audit.entry(cell.cluster)
    assert entry.everybody == ()
    assert set(entry.connect) == {"t10000", "t10001", "t10002"}
    assert entry.connect["t10001"] == ("t10001", "t10001_irat", "t10001_keret")


def test_a_grant_to_another_shows_by_name(cell):
    grants = cell.cluster.databases["t10001"].grants
    cell.database("t10001", grants=(*grants, Grant("t10000", "CONNECT", False)))
    assert {"t10000", "t10000_irat", "t10000_keret"} < set(connect(cell))
    assert audit.grantees(cell.cluster.databases["t10001"]) == ("t10000", "t10001")


def test_everybody_is_named_as_such(cell):
    cell.database("t10001", grants=(Grant("PUBLIC", "CONNECT", False),))
    assert audit.entry(cell.cluster).everybody == ("t10001",)
    assert connect(cell) == ("PUBLIC",)


def test_a_closed_database_is_open_to_nobody(cell):
    cell.database("t10001", grants=(Grant("PUBLIC", "CONNECT", False),), open=False)
    assert audit.entry(cell.cluster).everybody == ()


def test_a_member_by_a_chain_may_connect_however_it_was_granted(cell):
    cell.change(
        roles={**cell.cluster.roles, "helper": Role("helper", True, frozenset())},
        members=(*cell.cluster.members, Membership("helper", "t10001", False, False, False)),
    )
    assert "helper" in connect(cell)


@pytest.mark.parametrize("power", ["SUPERUSER", "CREATEROLE"])
def test_whoever_can_grant_it_may_connect(cell, power):
    cell.role("t10000_irat", powers=frozenset({power}))
    assert "t10000_irat" in connect(cell)


def test_the_hosting_itself_is_left_out(cell):
    assert not {OWNER, PROVISIONER} & set(connect(cell))


def test_roles_and_what_is_too_much(cell):
    roles = audit.roles_of(cell.cluster, "t10001")
    assert set(roles) == {"t10001", "t10001_irat", "t10001_keret"}
    assert not any(audit.mighty(cell.cluster, role) for role in roles.values())
    cell.role("t10001_irat", powers=frozenset({"CREATEDB"}))
    cell.change(members=(*cell.cluster.members, Membership("t10001_keret", "t10001", True, True, False)))
    roles = audit.roles_of(cell.cluster, "t10001")
    mighty = {name for name, role in roles.items() if audit.mighty(cell.cluster, role)}
    assert mighty == {"t10001_irat", "t10001_keret"}


def rights(cell, tenant="t10001"):
    return audit.rights(cell.cluster, tenant, cell.facts.contents[tenant])


def test_logins_use_their_own_schemas(cell):
    result = rights(cell)
    assert result.usage == {"t10001_irat": ("irat",), "t10001_keret": ("keret",)}
    assert (result.beyond, result.foreign_owned) == ({}, ())


def test_a_right_of_a_group_is_every_login_s(cell):
    cell.grant("t10001", "schema", "ado", "", "t10001", "USAGE")
    assert rights(cell).usage == {"t10001_irat": ("ado", "irat"), "t10001_keret": ("ado", "keret")}


def test_rights_beyond_the_own_schema_are_named(cell):
    cell.grant("t10001", "relation", "keret", "clerk", "t10001_irat", "SELECT")
    cell.grant("t10001", "column", "keret", "clerk.name", "t10000_keret", "UPDATE")  # named alike, another tenant's
    cell.grant("t10001", "relation", "irat", "document", "PUBLIC", "SELECT")
    assert rights(cell).beyond == {
        "t10001_irat": ("keret.clerk SELECT",),
        "t10000_keret": ("keret.clerk.name UPDATE",),
        "PUBLIC": ("irat.document SELECT",),
    }


def test_what_others_own_is_named(cell):
    contents = cell.facts.contents["t10001"]
    objects = (*contents.objects, Thing("relation", "irat.leak", "t10000_irat", ""), Thing("policy", "irat.p", "", ""))
    cell.facts = Facts(cell.cluster, {**cell.facts.contents, "t10001": Contents(objects, contents.rights)})
    assert rights(cell).foreign_owned == ("irat.leak (relation)",)
