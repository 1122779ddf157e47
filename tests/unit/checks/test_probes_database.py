"""What the probes record of rights, doors, the proof of isolation and backups, and what the checks say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from centre.backup.backups import Creation, RepositoryReport, State
from centre.isolation.reading import Facts, Grant, Right
from centre.reach.runtime import RuntimeFault
from checks.probes import centre, isolation, postgres, tenant
from inventory.models import Phase
from stacks.configs.pgbackrest import DAILY
from tests.support.country import country, door
from tests.unit.checks import support

SYSTEMS = ["irat", "keret"]


@pytest.fixture
def facts():
    (cell,) = country(3, SYSTEMS)
    return cell


def with_doors(facts, *doors):
    return replace(facts.cluster, doors=(*facts.cluster.doors, *doors))


def verdict_of(check, section, values):
    """The check's verdict on the good recording with what was seen in one section of its tier."""
    recording = support.good()
    support.document(recording, check.partition(".")[0])["data"][section].update(values)
    return support.verdicts(recording)[check]


def test_sound_doors_are_recorded_and_pass(facts):
    result = postgres.doors(facts.cluster)
    assert result["network_rules"] == [
        {
            "line": "hostssl samerole all samenet scram-sha-256",
            "database": "samerole",
            "method": "scram-sha-256",
            "opens_tenants": False,
        }
    ]
    assert (result["plain_rules"], result["public_connect"]) == ([], [])
    assert result["connect"]["t10001"] == ["t10001", "t10001_irat", "t10001_keret"]
    for check in ("encrypted", "samerole", "public", "matrix"):
        assert verdict_of(f"centre.database.{check}", "database", result) == ("PASS", "")


@pytest.mark.parametrize(
    ("rule", "check", "says"),
    [
        (door(databases="all"), "samerole", "idegen szerepet is beenged: hostssl all all samenet"),
        (door("host"), "encrypted", "titkosítatlan kapcsolatot enged: host samerole"),
    ],
)
def test_a_wide_door_is_recorded_and_fails(facts, rule, check, says):
    verdict, message = verdict_of(f"centre.database.{check}", "database", postgres.doors(with_doors(facts, rule)))
    assert verdict == "FAIL" and says in message


def test_a_rule_that_the_server_cannot_read_is_a_fault(facts):
    with pytest.raises(ValueError, match="invalid line"):
        postgres.doors(with_doors(facts, replace(door(), error="invalid line")))


@pytest.fixture
def proof(monkeypatch):
    """The proof of given facts."""

    class Cell:
        cell_id = "baz1"

    def prove(facts):
        monkeypatch.setattr(isolation, "read", lambda cell: facts)
        monkeypatch.setattr(isolation, "shared_rights", lambda register, cell: {})
        return isolation.proof(Cell(), support.register())

    return prove


def open_to(facts, grantee):
    contents = facts.contents["t10001"]
    right = Right("relation", "irat", "document", grantee, "SELECT")
    return Facts(facts.cluster, {**facts.contents, "t10001": replace(contents, rights=(*contents.rights, right))})


def test_the_proof_of_sound_tenants_passes(facts, proof):
    result = proof(facts)
    assert (result["tenants"], result["examined"], result["forbidden"]) == (3, 24, 0)
    assert verdict_of("centre.isolation.matrix", "isolation", result) == ("PASS", "")


def test_a_way_to_another_tenant_is_named_and_fails(facts, proof):
    result = proof(open_to(facts, "t10000_irat"))
    verdict, message = verdict_of("centre.isolation.matrix", "isolation", result)
    assert (verdict, message) == ("FAIL", "1 úton érhető el másik önkormányzat: t10000 → t10001 (objects)")
    verdict, message = verdict_of("centre.isolation.catalogue", "isolation", result)
    assert verdict == "FAIL" and "right on relation: irat.document: SELECT for t10000_irat" in message


def test_a_right_for_everybody_does_not_fill_the_recording(proof):
    (cell,) = country(40, SYSTEMS)
    for name in list(cell.contents):
        contents = cell.contents[name]
        right = Right("schema", "irat", "", "PUBLIC", "USAGE")
        cell.contents[name] = replace(contents, rights=(*contents.rights, right))
    result = proof(cell)
    assert (result["forbidden"], len(result["reached"]["objects"])) == (40 * 39, isolation.SHOWN)
    assert result["strange"] >= 40 and len(result["findings"]) == isolation.SHOWN


@pytest.fixture
def rights(monkeypatch):
    """Sections `database` and `contents` of a tenant in given facts."""

    def read(facts, name):
        monkeypatch.setattr(tenant, "read_cluster", lambda cell, timeout: facts.cluster)
        monkeypatch.setattr(tenant, "read_contents", lambda cell, names, timeout: {n: facts.contents[n] for n in names})
        monkeypatch.setattr(tenant, "versions", lambda cell, name: {"irat": "0001"})
        return tenant.rights(None, name)

    return read


def test_a_tenants_rights_are_recorded(facts, rights):
    result = rights(facts, "t10001")
    assert result["database"]["connect"] == ["t10001"]
    assert result["database"]["roles"]["t10001_irat"] == {"login": True, "mighty": False}
    assert result["contents"]["schema_usage"] == {"t10001_irat": ["irat"], "t10001_keret": ["keret"]}
    assert result["contents"]["versions"] == {"irat": "0001"}


def test_a_foreign_grant_is_recorded(facts, rights):
    database = facts.cluster.databases["t10001"]
    changed = replace(database, grants=(*database.grants, Grant("t10000_irat", "CONNECT", False)))
    cluster = replace(facts.cluster, databases={**facts.cluster.databases, "t10001": changed})
    result = rights(Facts(cluster, facts.contents), "t10001")
    assert result["database"]["connect"] == ["t10000_irat", "t10001"]


def test_a_tenant_without_a_database_is_recorded_as_such(facts, rights):
    result = rights(facts, "t99999")
    assert (result["database"]["exists"], result["database"]["owner"], result["database"]["connect"]) == (
        False,
        None,
        [],
    )
    assert result["contents"] == {"fault": "'t99999'"}


def state(*backups, code=0):
    entry = {"status": {"code": code, "message": "ok"}, "backup": list(backups)}
    return State(RepositoryReport.from_info([entry]), {}, {}, {"at": 1, "damage": ""})


def backup(label, error=False):
    return {"label": label, "type": "full", "error": error, "timestamp": {"stop": 1795426625}}


def test_backups_come_from_the_cells_own_reading(monkeypatch):
    repositories = {1: state(backup("A"), backup("B", error=True)), 2: state(backup("C"), code=3)}
    monkeypatch.setattr(centre, "states", lambda cell: repositories)
    result = centre.backups(None)
    assert [item["label"] for item in result["backup"]["backups"]] == ["A"]
    assert (
        result["backup"]["failed"] == ["B"] and result["backup"]["backups"][0]["stopped"] == "2026-11-23T09:37:05+00:00"
    )
    assert (result["vault"]["status_code"], result["vault"]["failed"]) == (3, [])
    assert result["verification"] == {"1": {"at": 1, "damage": ""}, "2": {"at": 1, "damage": ""}}


def covered(monkeypatch, present, inside, archived):
    """What is recorded of t16054's backup. `present`: its oid now, None without an answer; the rest: name → oid."""

    def server(cell, names):
        if present is None:
            raise RuntimeFault("no answer")
        return {"t16054": Creation(present, 0)} if present else {}, {}

    daily = State(RepositoryReport(0, "ok", [backup("20261123-103649F")], ""), inside, archived, {})
    monkeypatch.setattr(tenant.backups, "states", lambda cell: {DAILY: daily})
    monkeypatch.setattr(tenant.backups, "server", server)
    return tenant.backup(None, "t16054")


@pytest.mark.parametrize(
    ("present", "inside", "archived", "is_covered"),
    [
        (7, {"t16054": 7}, {}, True),
        (7, {}, {"t16054": 7}, True),
        (7, {"t16054": 5}, {}, False),  # the one before it, of the same name: made again since
        (7, {"t14784": 7}, {}, False),
        (7, {}, {}, False),
        (0, {"t16054": 5}, {}, False),  # there is none
        (None, {"t16054": 5}, {}, True),  # nobody says which one there is: by name
        (None, {}, {"t16054": 5}, True),
        (None, {"t14784": 5}, {}, False),
    ],
)
def test_a_backup_covers_the_database_that_there_is_now(monkeypatch, present, inside, archived, is_covered):
    result = covered(monkeypatch, present, inside, archived)
    assert result == {"label": "20261123-103649F", "covered": is_covered}
    verdict, _ = verdict_of("tenant.backup.covers", "backup", result)
    assert verdict == ("PASS" if is_covered else "FAIL")


@pytest.mark.parametrize(
    ("phase", "evidence", "missing"),
    [
        (Phase.PREPARATION, {}, []),
        (Phase.CONNECTION, {}, ["preparation"]),
        (Phase.CONNECTION, {"preparation": "x"}, []),
        (Phase.LIVE, {"connection": "x"}, ["preparation"]),
        (Phase.LIVE, {"preparation": "x"}, ["connection"]),
        (Phase.LIVE, {"preparation": "x", "connection": "x"}, []),
        (Phase.LIVE, {"live": "x"}, ["preparation", "connection"]),
    ],
)
def test_evidence_of_every_phase_that_is_over_is_looked_for(phase, evidence, missing):
    municipality = support.register().municipality("16054").model_copy(update={"phase": phase, "evidence": evidence})
    result = tenant.contract(municipality)
    assert (result["phase"], result["missing_evidence"]) == (phase.value, missing)
    verdict, message = verdict_of("tenant.contract.recorded", "contract", result)
    assert (verdict, message) == (("FAIL", f"hiányzó bizonyíték: {', '.join(missing)}") if missing else ("PASS", ""))
