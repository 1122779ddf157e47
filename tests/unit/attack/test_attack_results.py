"""The attack suite's own arithmetic: what counts as held, as one attack, and as a run that proves nothing."""

from __future__ import annotations

import json

import pytest

from inventory import paths
from tests.attack import results
from tests.attack.registry import Attack, Tries, Untried, attack, control
from tests.attack.results import FELL, HELD, UNTRIED, Row


def row(number: str, result: str, counts_as: str = "", count: int = 1) -> Row:
    fell = count if result == FELL else 0
    return Row(number, "edge", "x", result, count, count - fell, fell, 0.1, counts_as or number, "seen")


def test_one_try_that_gets_through_is_a_fallen_wall():
    tries = Tries()
    tries.holds(True, "refused")
    tries.holds(False, "the session of another")
    with pytest.raises(AssertionError, match="1 of 2 tries: the session of another"):
        tries.judge()


def test_an_attack_that_tried_nothing_has_not_held():
    with pytest.raises(Untried, match="no try was made"):
        Tries().judge()


def test_a_dead_service_has_not_held():
    with pytest.raises(Untried, match="legitimate variant does not work: 502"):
        control(False, "502")


def test_values_of_one_way_count_as_one_attack_and_the_worst_of_them_counts():
    rows = [row("X01.a", HELD, "X01"), row("X01.b", FELL, "X01", 3), row("E01", HELD), row("E02", UNTRIED)]
    assert results.totals(rows) == {"attacks": 3, "tests": 4, "tries": 6, HELD: 1, FELL: 1, UNTRIED: 1}


def test_the_table_tells_why_something_fell_or_was_not_tried():
    lines = results.table([row("E01", HELD), row("E02", FELL), row("E03", UNTRIED)])
    assert [line.split()[0] for line in lines if line.strip().startswith(("FELL", "UNTRIED"))] == ["FELL:", "UNTRIED:"]
    assert " ".join(lines[-1].split()) == "all 3 attacks in 3 tests, 3 tries: 1 held, 1 fell, 1 untried"


def test_the_report_has_every_attack(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "reports_dir", lambda env: tmp_path / env)
    file = results.write([row("E01", HELD), row("E02", FELL)], "test")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["environment"] == "test"
    assert [entry["id"] for entry in content["attacks"]] == ["E01", "E02"]


def test_ways_are_attacks_of_their_own_unless_they_are_alike():
    def ways(alike: bool) -> list[Attack]:
        @attack("Z01", "edge", "a path", {"a": 1, "b": 2}, short=True, alike=alike)
        def function(tries: Tries, way: int) -> None: ...

        (mark,) = function.pytestmark
        return [next(m.args[0] for m in value.marks if m.name == "attack") for value in mark.args[1]]

    assert [(one.id, one.counts_as, one.short) for one in ways(False)] == [
        ("Z01.a", "Z01.a", True),
        ("Z01.b", "Z01.b", False),
    ]
    assert {one.counts_as for one in ways(True)} == {"Z01"}


def test_an_area_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="area 'egde', wanted one of edge, "):
        attack("Z02", "egde", "a typing error")
