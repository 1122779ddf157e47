"""A folder that was asked for as a whole holds exactly as many tests as are recorded."""

from __future__ import annotations

import json

import pytest

from tests import alone, counts
from tests.counts import TESTS, differences, of_files

RECORDED = {"unit": 2, "unit/checks": 3, "systems/ado": 4}


def test_tests_are_counted_by_folder():
    files = [TESTS / "unit" / "test_a.py"] * 2 + [TESTS / "unit" / "checks" / "test_b.py"]
    assert of_files(files) == {"unit": 2, "unit/checks": 1}


@pytest.mark.parametrize(
    ("collected", "folders", "says"),
    [
        ({"unit": 2, "unit/checks": 3}, ["unit"], []),
        ({"unit": 2, "unit/checks": 2}, ["unit"], ["tests/unit/checks: 2 tests collected, recorded are 3"]),
        ({"unit": 2, "unit/checks": 4}, ["unit"], ["tests/unit/checks: 4 tests collected, recorded are 3"]),
        ({"unit": 2}, ["unit"], ["tests/unit/checks: 0 tests collected, recorded are 3"]),
        (
            {"unit": 2, "unit/checks": 3, "unit/docs": 1},
            ["unit"],
            ["tests/unit/docs: 1 tests collected, recorded are 0"],
        ),
        ({"unit/checks": 3}, ["unit/checks"], []),
        ({"unit/checks": 1}, ["unit/checks/test_run.py"], []),  # a file is no folder
        ({}, ["systems/ado"], ["tests/systems/ado: 0 tests collected, recorded are 4"]),
    ],
)
def test_only_folders_that_were_asked_for_as_a_whole_are_compared(collected, folders, says):
    assert differences(RECORDED, collected, [TESTS / name for name in folders]) == says


def test_every_suite_is_recorded():
    recorded, suites = json.loads(counts.FILE.read_text(encoding="utf-8")), counts.suites()
    assert {"unit", "systems", "engine", "roles", "live/stacks", "live/e2e"} <= set(suites)
    assert {suite for suite in suites if any(f"{folder}/".startswith(f"{suite}/") for folder in recorded)} == set(
        suites
    )
    assert all(any(f"{folder}/".startswith(f"{suite}/") for suite in suites) for folder in recorded)
    assert min(recorded.values()) > 0


def test_a_file_that_needs_a_sibling_is_told(tmp_path):
    file = tmp_path / "test_needy.py"
    file.write_text("import nothing_of_the_kind\n")
    assert "No module named 'nothing_of_the_kind'" in (alone.fault(str(file)) or "")
    file.write_text("def test_fine():\n    pass\n")
    assert alone.fault(str(file)) is None
