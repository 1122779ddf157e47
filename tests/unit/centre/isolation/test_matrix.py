"""What the catalogues say is judged right: sound tenants reach nobody, every way to another shows on its plane."""

import pytest

from centre.isolation.matrix import PLANES, matrix
from centre.isolation.reading import Grant, Membership, Role
from stacks.configs.postgres import OWNER
from tests.support.country import door


def test_sound_tenants_reach_nobody(cell):
    result = matrix([cell.facts])
    assert (result.tenants, result.examined, result.forbidden) == (3, 3 * 2 * len(PLANES), 0)


def test_a_grant_to_another_shows(cell):
    grants = cell.cluster.databases["t10001"].grants
    cell.database("t10001", grants=(*grants, Grant("t10000_irat", "CONNECT", False)))
    assert matrix([cell.facts]).reached["connect"] == {("t10000", "t10001")}


def test_a_door_shows(cell):
    cell.change(doors=(*cell.cluster.doors, door(databases="t10001")))
    assert matrix([cell.facts]).reached["doors"] == {("t10000", "t10001"), ("t10002", "t10001")}


def test_a_door_for_one_shows_for_that_one(cell):
    cell.change(doors=(*cell.cluster.doors, door(databases="t10001", users="t10002_irat")))
    assert matrix([cell.facts]).reached["doors"] == {("t10002", "t10001")}


def test_a_door_that_refuses_is_none(cell):
    cell.change(doors=(*cell.cluster.doors, door(databases="all", method="reject")))
    assert matrix([cell.facts]).forbidden == 0


def test_a_chain_of_memberships_is_followed(cell):
    links = [("t10000_irat", "x"), ("x", "y"), ("y", "x"), ("y", "t10001")]
    cell.change(
        roles={**cell.cluster.roles, **{name: Role(name, False, frozenset()) for name in ("x", "y")}},
        members=(*cell.cluster.members, *(Membership(*link, False, False, True) for link in links)),
    )
    result = matrix([cell.facts])
    assert result.reached["connect"] == result.reached["membership"] == {("t10000", "t10001")}


def test_whoever_makes_roles_reaches_everybody(cell):
    cell.role("t10000_irat", powers=frozenset({"CREATEROLE"}))
    result = matrix([cell.facts])
    assert ("t10000", "t10002") in result.reached["objects"] and result.forbidden >= 6


def test_a_right_for_everybody_is_every_pair(cell):
    cell.grant("t10001", "schema", "irat", "", "PUBLIC", "USAGE")
    assert matrix([cell.facts]).reached["objects"] == {("t10000", "t10001"), ("t10002", "t10001")}


def test_a_database_put_aside_counts_for_nothing(cell):
    cell.database("t10002", open=False)
    assert matrix([cell.facts]).tenants == 2


@pytest.mark.parametrize("owner", ["t10000", "t10000_irat"])
def test_another_owner_of_a_database_shows(cell, owner):
    """An owner connects without a grant, and can grant itself and others whatever it likes."""
    database = cell.cluster.databases["t10001"]
    cell.database("t10001", owner=owner, grants=tuple(g for g in database.grants if g.grantee != OWNER))
    assert matrix([cell.facts]).reached["connect"] == {("t10000", "t10001")}
