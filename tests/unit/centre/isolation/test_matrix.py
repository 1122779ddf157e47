"""What the catalogues say is judged right: sound tenants reach nobody, every open door is seen."""

import copy

import pytest

from centre.isolation import matrix
from stacks.configs.postgres import REPLICATOR
from tests.support.country import country

SYSTEMS = ["irat", "keret"]


@pytest.fixture
def facts():
    (found,) = country(3, SYSTEMS)
    return copy.deepcopy(found)


def kinds(facts):
    return {finding.kind for finding in matrix.findings(facts, {}) if finding.where == "cluster"}


def door(kind="hostssl", databases="samerole", users="all", method="scram-sha-256"):
    return {"type": kind, "databases": [databases], "users": [users], "method": method, "options": [], "error": None}


def test_sound_tenants_reach_nobody(facts):
    found = matrix.matrix([facts])
    assert (found.tenants, found.examined, found.forbidden) == (3, 3 * 2 * len(matrix.PLANES), 0)
    assert kinds(facts) == set()


OPEN = {
    "all": door(databases="all"),
    "its name": door(databases="t10001"),
    "a pattern": door(databases="/^t1"),
    "its own user": door(databases="sameuser"),
    "the old name": door(databases="samegroup"),
    "a list": {**door(), "databases": ["pbauth", "t10001"]},
    "local for others": door(kind="local", databases="all", method="peer"),
    "local without question": door(kind="local", databases="all", users="postgres", method="trust"),
}


@pytest.mark.parametrize("case", OPEN)
def test_a_door_into_tenants_is_seen(facts, case):
    assert matrix.opens_tenants(OPEN[case])
    facts.cluster["doors"].append(OPEN[case])
    assert "door" in kinds(facts)


@pytest.mark.parametrize("weak", [door(kind="host"), door(method="md5"), door(method="trust"), door(kind="hostnossl")])
def test_a_weak_door_is_seen(facts, weak):
    facts.cluster["doors"].append(weak)
    assert "door" in kinds(facts)


@pytest.mark.parametrize("safe", [door(), door(databases="replication", users="asp_replicator"),
                                  door(databases="all", method="reject")])  # fmt: skip
def test_a_safe_door_is_none(facts, safe):
    facts.cluster["doors"].append(safe)
    assert "door" not in kinds(facts)


def test_a_door_that_cannot_be_read_is_seen(facts):
    facts.cluster["doors"].append({**door(), "databases": None, "users": None, "error": "invalid line"})
    assert "door" in kinds(facts)


def test_a_door_shows_in_the_matrix(facts):
    facts.cluster["doors"].append(door(databases="t10001"))
    assert matrix.matrix([facts]).reached["doors"] == {("t10000", "t10001"), ("t10002", "t10001")}


def test_an_identity_map_to_a_tenant_is_seen(facts):
    facts.cluster["maps"].append(["asp", "postgres", "t10001_irat"])
    assert "identity map" in kinds(facts)


def test_a_chain_of_memberships_is_followed(facts):
    facts.cluster["roles"] |= {name: {"login": False, "powers": []} for name in ("x", "y")}
    facts.cluster["members"] += [["t10000_irat", "x", False, False, True], ["x", "y", False, False, True],
                                 ["y", "x", False, False, True], ["y", "t10001", False, False, True]]  # fmt: skip
    found = matrix.matrix([facts])
    assert found.reached["connect"] == found.reached["membership"] == {("t10000", "t10001")}


def test_whoever_makes_roles_reaches_everybody(facts):
    facts.cluster["roles"]["t10000_irat"]["powers"] = ["CREATEROLE"]
    found = matrix.matrix([facts])
    assert ("t10000", "t10002") in found.reached["objects"] and found.forbidden >= 6


def test_a_right_for_everybody_is_every_pair(facts):
    facts.contents["t10001"]["rights"].append(["schema", "irat", "", "PUBLIC", "USAGE"])
    assert matrix.matrix([facts]).reached["objects"] == {("t10000", "t10001"), ("t10002", "t10001")}


def test_nodes_that_stream_from_each_other_are_no_finding(facts):
    facts.cluster["roles"][REPLICATOR] = {"login": True, "powers": ["REPLICATION"]}
    facts.cluster["maps"].append(["nodes", "asp-dev-baz1-postgres-1", REPLICATOR])
    for place, method in (("replication", "cert"), ("postgres", "cert"), ("all", "reject")):
        facts.cluster["doors"].append(door(databases=place, users=REPLICATOR, method=method))
    assert kinds(facts) == set()
    facts.cluster["doors"].append(door(databases="all", users=REPLICATOR, method="cert"))
    assert kinds(facts) == {"door"}
