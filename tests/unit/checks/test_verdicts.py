"""Every check has both scenarios: the good recording passes, and each break turns exactly the checks concerned."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import yaml

from checks.verdicts import Verdict, judge
from tests.support.registers import altered
from tests.unit.checks import support

BREAKS = yaml.safe_load((support.DATA / "broken.yaml").read_text(encoding="utf-8"))
SCENARIOS = [
    pytest.param(check, scenario, id=f"{check}-{index}")
    for check, scenarios in BREAKS.items()
    for index, scenario in enumerate(scenarios)
]


def test_every_check_has_both_scenarios_and_nothing_else_has():
    ids = set(support.catalogue().checks)
    assert len(ids) >= 30
    assert set(support.assertions()) == ids
    assert set(BREAKS) == ids
    assert all(BREAKS.values()), "a check without a scenario"


def test_the_good_recording_passes_everywhere():
    assert {
        name: verdicts for name, verdicts in support.verdicts(support.good()).items() if verdicts[0] != "PASS"
    } == {}


def test_every_check_says_what_it_measured():
    """Beside its threshold where it has one: then a number, in the threshold's own unit or one that it is told in."""
    measured = support.measured(support.good())
    assert set(measured) == set(support.catalogue().checks)
    assert [name for name, figure in measured.items() if figure is None] == []
    for entry in support.catalogue():
        if limit := support.catalogue().limit(entry):
            assert measured[entry.id].unit == limit.unit, entry.id


@pytest.mark.parametrize(("check", "scenario"), SCENARIOS)
def test_a_break_fails_exactly_the_checks_concerned(check, scenario):
    recording = support.broken(support.good(), scenario["at"], scenario.get("set"), scenario.get("drop", False))
    verdicts = support.verdicts(recording)
    verdict, message = verdicts[check]
    assert verdict is Verdict.FAIL
    assert re.search(scenario["says"], message), message
    changed = {name for name, (result, _) in verdicts.items() if result is not Verdict.PASS}
    assert changed == {check, *scenario.get("also", [])}


@pytest.mark.parametrize("tier", ["centre", "tenant", "workstation"])
def test_an_unreachable_host_is_never_pass(tier):
    recording = support.good()
    support.document(recording, tier)["unreachable"] = "no answer in 10 s"
    verdicts = support.verdicts(recording)
    own = {name for name in verdicts if name.startswith(f"{tier}.")}
    assert {verdicts[name][0] for name in own} == {Verdict.UNREACHABLE}
    assert all("no answer in 10 s" in verdicts[name][1] for name in own)
    assert {verdicts[name][0] for name in verdicts if name not in own} == {Verdict.PASS}


@pytest.mark.parametrize("tier", ["centre", "tenant", "workstation"])
def test_a_probe_that_found_nothing_is_no_data(tier):
    recording = support.good()
    support.document(recording, tier)["data"] = {}
    verdicts = support.verdicts(recording)
    own = {verdict for name, (verdict, _) in verdicts.items() if name.startswith(f"{tier}.")}
    assert own == {Verdict.NO_DATA}


def test_a_null_datum_is_no_data_and_named():
    verdicts = support.verdicts(support.broken(support.good(), ["centre", "database", "writable"], None))
    assert verdicts["centre.database.writable"] == (Verdict.NO_DATA, "nincs adat: database › writable")


def test_an_unreachable_part_turns_its_own_checks_only():
    unreachable = {"unreachable": "service asp-dev-baz1-postgres-1: seen: no running task"}
    verdicts = support.verdicts(support.broken(support.good(), ["centre", "database"], unreachable))
    changed = {name: verdict for name, (verdict, _) in verdicts.items() if verdict is not Verdict.PASS}
    assert changed == {n: Verdict.UNREACHABLE for n in verdicts if n.startswith("centre.database.")}
    assert "no running task" in verdicts["centre.database.writable"][1]


def test_a_part_that_answered_nonsense_is_no_data():
    verdicts = support.verdicts(support.broken(support.good(), ["centre", "backup"], {"fault": "no JSON"}))
    assert verdicts["centre.backup.age"] == (Verdict.NO_DATA, "backup nem mérhető: no JSON")


def test_a_result_older_than_its_lifetime_is_no_data():
    verdicts = support.verdicts(support.good(), support.TAKEN + timedelta(minutes=16))
    lifetimes = {entry.id: entry.span for entry in support.catalogue()}
    for name, (verdict, message) in verdicts.items():
        if lifetimes[name] < timedelta(minutes=16):
            assert verdict is Verdict.NO_DATA and "az adat elavult: 16 perce készült" in message
        else:
            assert verdict is Verdict.PASS


def test_a_fault_of_the_check_itself_is_not_a_pass():
    assert judge(KeyError("x")) == (Verdict.NO_DATA, "az ellenőrzés maga hibás (KeyError: 'x')")


@pytest.mark.parametrize("message", ["", "FATAL: password authentication failed"])
def test_a_refusal_of_a_role_that_gets_in_nowhere_proves_nothing(message):
    recording = support.broken(support.good(), ["tenant", "foreign", "home", "user"], "")
    verdicts = support.verdicts(support.broken(recording, ["tenant", "foreign", "home", "message"], message))
    verdict, message = verdicts["tenant.database.foreign-refused"]
    assert verdict is Verdict.NO_DATA
    assert "a próba nem bizonyít: t14784_keret otthon sem tud belépni" in message


def test_a_clerk_without_a_certificate_fails_what_needs_one():
    verdicts = support.verdicts(support.broken(support.good(), ["workstation", "certificate"], None))
    missing = "az ügyintézőnek nincs tanúsítványa a gépen"
    assert {name for name, verdict in verdicts.items() if verdict == (Verdict.FAIL, missing)} == {
        "workstation.certificate.valid", "workstation.certificate.subject", "workstation.certificate.stores",
    }  # fmt: skip
    assert verdicts["workstation.certificate.not-revoked"][0] is Verdict.NO_DATA


NODES = [f"asp-dev-baz1-postgres-{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("standbys", "says"),
    [
        ([(NODES[1], "streaming", "sync"), (NODES[2], "streaming", "async")], None),
        ([(NODES[1], "streaming", "sync")], f"hiányzó másolat: {NODES[2]}"),
        ([(NODES[1], "streaming", "sync"), (NODES[2], "catchup", "async")], f"elmaradó másolat: {NODES[2]}"),
        ([(NODES[1], "streaming", "async"), (NODES[2], "streaming", "async")], "egyetlen másolatra sem vár"),
        ([(NODES[1], "streaming", "potential"), (NODES[2], "streaming", "async")], "egyetlen másolatra sem vár"),
        ([(NODES[1], "streaming", "quorum"), (NODES[2], "streaming", "async")], None),
        ([(n, "streaming", "sync") for n in (*NODES[1:], "idegen")], "ismeretlen másolat készül az adatokról: idegen"),
    ],
)
def test_a_cell_of_three_has_two_copies_of_which_one_is_waited_for(monkeypatch, standbys, says):
    register = support.register()
    cells = [cell.model_copy(update={"nodes": 3}) for cell in register.environment.cells]
    monkeypatch.setattr(register, "environment", register.environment.model_copy(update={"cells": cells}))
    rows = [dict(zip(("name", "state", "sync"), row, strict=True)) for row in standbys]
    recording = support.broken(support.good(), ["centre", "database", "standbys"], rows)
    verdict, message = support.verdicts(recording)["centre.database.replicated"]
    assert (verdict is Verdict.PASS) is (says is None)
    assert says is None or says in message


def test_a_system_that_is_listed_but_not_installed_is_asked_for_nowhere(monkeypatch):
    """Its municipality could never be ready: nobody makes it a login, a schema or an app server."""
    register = support.register()
    municipality = register.municipality("16054").model_copy(update={"systems": [*support.RECORDED, "helpdesk"]})
    lists_one_more = altered(register, municipalities={"16054": municipality})
    monkeypatch.setattr(support, "register", lambda: lists_one_more)
    assert "helpdesk" not in lists_one_more.installed_systems
    assert {
        name: verdicts for name, verdicts in support.verdicts(support.good()).items() if verdicts[0] != "PASS"
    } == {}


def test_a_system_that_answers_with_an_error_is_seen_beside_a_silent_one():
    recording = support.broken(support.good(), ["tenant", "systems", "keret"], {"unreachable": "no running task"})
    recording = support.broken(recording, ["tenant", "systems", "irat", "status"], 503)
    assert support.verdicts(recording)["tenant.systems.answer"][0] is Verdict.FAIL
    recording = support.broken(recording, ["tenant", "systems", "irat", "status"], 200)
    assert support.verdicts(recording)["tenant.systems.answer"][0] is Verdict.UNREACHABLE


def test_a_drill_that_is_due_names_its_command():
    verdicts = support.verdicts(support.broken(support.good(), ["tenant", "drill", "proven"], None))
    assert "ansible-playbook playbooks/drill.yml -e municipality=16054" in verdicts["tenant.backup.drilled"][1]


@pytest.mark.parametrize(
    ("archived", "failed", "verdict"),
    [  # the later text is the earlier moment, and the other way round
        ("2026-11-23T10:00:00+00:00", "2026-11-23T10:59:30+01:00", Verdict.PASS),
        ("2026-11-23T10:59:30+01:00", "2026-11-23T10:00:00+00:00", Verdict.FAIL),
        ("2026-11-23T10:00:00+00:00", "2026-11-23T11:00:00+01:00", Verdict.PASS),
        ("2026-11-23T10:00:00+00:00", None, Verdict.PASS),
    ],
)
def test_times_of_the_archive_are_compared_as_moments(archived, failed, verdict):
    recording = support.broken(support.good(), ["centre", "archive", "last_archived"], archived)
    recording = support.broken(recording, ["centre", "archive", "last_failed"], failed)
    assert support.verdicts(recording)["centre.archive.failures"][0] is verdict
