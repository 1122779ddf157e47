"""A folder that was asked for as a whole holds exactly as many tests as are recorded."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest

from tests import alone, conftest, counts
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


@pytest.mark.parametrize("more", [0, 1])
def test_too_few_are_an_error_side_by_side_too(monkeypatch, tmp_path, more):
    recorded = tmp_path / "counts.json"
    recorded.write_text(json.dumps({"unit/bench": 2 + more}))
    monkeypatch.setattr(counts, "FILE", recorded)
    options = dict.fromkeys(["collectonly", "keyword", "markexpr", "long", "deselect", "ignore"])
    folder = TESTS / "unit" / "bench"
    config = SimpleNamespace(option=SimpleNamespace(**options), args=[str(folder)], rootpath=TESTS.parent)
    ids = [f"tests/unit/bench/test_a.py::test_{name}" for name in ("a", "b")]
    fault = pytest.raises(pytest.UsageError, match="tests/unit/bench: 2 tests collected, recorded are 3; ")
    with fault if more else contextlib.nullcontext():
        conftest.pytest_xdist_node_collection_finished(SimpleNamespace(config=config), ids)
