"""The catalogue refuses what it cannot stand for, naming file, field, value and remedy."""

from __future__ import annotations

import copy

import pytest
import yaml

from checks import catalogue as catalogues
from checks.report.document import AREAS, QUESTIONS
from inventory.errors import RegisterError
from tests.unit.checks import support

ENTRY = {
    "id": "centre.clock.right",
    "title": "A központ órája pontos",
    "mandatory": True,
    "tier": "centre",
    "clause": "clock-skew",
    "threshold": "sla.clock-skew",
    "lifetime": "15m",
    "source": "chrony on the machine",
    "runbook": "services.md#a-service-is-not-running",
}


def load(tmp_path, *entries):
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump([*entries], allow_unicode=True), encoding="utf-8")
    return catalogues.load(support.register(), path)


def test_a_sound_entry_is_read(tmp_path):
    entry = load(tmp_path, ENTRY)["centre.clock.right"]
    limit = catalogues.resolve(entry.threshold, support.register())
    assert (limit.value, limit.unit, limit.span.total_seconds()) == (5, "seconds", 5)
    assert entry.span.total_seconds() == 900


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"clause": "speed"}, "centre.clock.right.clause", "no such SLA clause. Known: archive-lag"),
        ({"threshold": "sla.speed"}, "centre.clock.right.threshold", "no SLA clause 'speed'"),
        ({"threshold": "register.pki.colour_days"}, "threshold", "environment.yaml has no 'pki.colour_days'"),
        ({"threshold": "register.domain"}, "threshold", "is not a number with its unit in its name"),
        ({"threshold": "5"}, "centre.clock.right.threshold", "String should match pattern"),
        ({"source": None}, "centre.clock.right.source", "Field required"),
        ({"id": "centre.Clock"}, "centre.Clock.id", "String should match pattern"),
        ({"tier": "tenant"}, "centre.clock.right", "tier 'tenant' does not agree with id 'centre.clock.right'"),
        ({"tier": "moon"}, "centre.clock.right.tier", "Input should be 'centre', 'tenant' or 'workstation'"),
        ({"lifetime": "60d"}, "centre.clock.right.lifetime", "at most 31d"),
        ({"lifetime": "32d"}, "centre.clock.right.lifetime", "at most 31d"),
        ({"lifetime": "745h"}, "centre.clock.right.lifetime", "at most 31d"),
        ({"lifetime": "soon"}, "centre.clock.right.lifetime", "String should match pattern"),
        ({"runbook": "services.md#nothing"}, "centre.clock.right.runbook", "no such section"),
        ({"runbook": "nothing.md#nothing"}, "runbook", "Write the section into docs/runbooks/nothing.md"),
        ({"colour": "red"}, "centre.clock.right.colour", "Extra inputs are not permitted"),
        ({"mandatory": "perhaps"}, "centre.clock.right.mandatory", "Input should be a valid boolean"),
    ],
)
def test_a_faulty_entry_is_refused_by_name(tmp_path, change, field, says):
    entry = {key: value for key, value in (copy.deepcopy(ENTRY) | change).items() if value is not None}
    with pytest.raises(RegisterError) as error:
        load(tmp_path, entry)
    assert field in str(error.value)
    assert says in str(error.value)
    assert str(error.value).startswith("catalogue.yaml: ")


@pytest.mark.parametrize("lifetime", ["31d", "744h"])
def test_a_result_counts_for_a_month_at_most(tmp_path, lifetime):
    (entry,) = load(tmp_path, ENTRY | {"lifetime": lifetime})
    assert entry.span.days == 31


def test_an_id_cannot_stand_twice(tmp_path):
    with pytest.raises(RegisterError, match=r"\[1\]\.id = 'centre\.clock\.right': stands twice"):
        load(tmp_path, ENTRY, ENTRY)


def test_every_fault_is_told_at_once(tmp_path):
    with pytest.raises(RegisterError) as error:
        load(tmp_path, ENTRY | {"clause": "speed"}, ENTRY | {"id": "centre.clock.left", "lifetime": "x"})
    assert len(error.value.faults) == 2


@pytest.mark.parametrize("content", ["", "a: b", "- [", "[]"])
def test_a_file_that_is_no_list_is_refused(tmp_path, content):
    path = tmp_path / "catalogue.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RegisterError, match=r"catalogue\.yaml: \(file\)"):
        catalogues.load(support.register(), path)


def test_the_real_catalogue_can_be_told_in_a_report():
    answered = {clause for clauses in QUESTIONS.values() for clause in clauses}
    for entry in support.catalogue():
        assert entry.area in AREAS
        assert entry.clause in answered
    assert answered == set(support.register().sla), "each clause answers one of the mayor's questions"
    assert len(answered) == sum(len(clauses) for clauses in QUESTIONS.values())


def test_ids_are_for_ever():
    """Ids once given. Adding one is normal; a missing one was renamed or removed, which breaks history and waivers."""
    values = set((support.DATA / "ids.txt").read_text(encoding="utf-8").split())
    assert len(values) >= 64
    assert values <= set(support.catalogue().checks)
