"""The recorder writes what `conformance` compares with. Tried with the engine in the CLI's place."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.engine import record
from tests.engine.conformance import CASES, run_cases
from tests.engine.harness import ENGINE


def test_a_recording_is_made_and_holds(tmp_path, monkeypatch):
    shutil.copytree(CASES / "secrets", tmp_path / "secrets", ignore=shutil.ignore_patterns("recorded.json"))
    monkeypatch.setenv("PULUMI", ENGINE)
    record.record(tmp_path, ["secrets"])
    recording, original = (
        json.loads((folder / "secrets" / "recorded.json").read_text(encoding="utf-8")) for folder in (tmp_path, CASES)
    )
    assert recording["case"] == "secrets" and "docker provider 5.2.0" in recording["recorded_with"]
    assert [set(step) for step in recording["steps"]] == [set(step) for step in original["steps"]]
    assert [step["preview"]["exit"] for step in recording["steps"]] == [0] * len(original["steps"])
    (report,) = run_cases(tmp_path, [])
    assert report.passed, report.faults


def test_a_recording_of_the_engine_itself_is_refused(monkeypatch):
    monkeypatch.delenv("PULUMI", raising=False)
    monkeypatch.setattr("sys.argv", ["record", "cases", "secrets"])
    with pytest.raises(SystemExit, match="PULUMI must name the CLI"):
        record.main()
