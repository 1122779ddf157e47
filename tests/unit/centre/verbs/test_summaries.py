"""What programs say of themselves is read from their JSON; where there is none, nothing is made up."""

from __future__ import annotations

import json

import pytest

from centre.verbs import summaries
from centre.verbs.progress import Steps, Uncounted


def test_the_engines_last_summary_counts(tmp_path):
    log = tmp_path / "events.jsonl"
    events = [
        {"sequence": 0, "resourcePreEvent": {"metadata": {"op": "create"}}},
        {"sequence": 1, "summaryEvent": {"resourceChanges": {"create": 9}}},
        {"sequence": 2, "summaryEvent": {"resourceChanges": {"same": 3, "update": 1, "create": 2, "read": 4}}},
    ]
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert summaries.of_engine(log) == "2 created, 1 updated"


def test_an_engine_that_changed_nothing_says_nothing(tmp_path):
    log = tmp_path / "events.jsonl"
    log.write_text(json.dumps({"summaryEvent": {"resourceChanges": {"same": 3}}}) + "\n")
    assert summaries.of_engine(log) == ""


@pytest.mark.parametrize(("changed", "words"), [(0, ""), (4, "4 tasks changed")])
def test_a_play_that_counts(tmp_path, changed, words):
    file = tmp_path / "join.summary.json"
    file.write_text(json.dumps({"changed": changed, "failed": 0, "unreachable": 0, "hosts": {}, "stats": {}}))
    assert summaries.of_play(file) == words


@pytest.mark.parametrize("reader", [summaries.of_play, summaries.of_engine])
def test_without_a_file_it_is_done_and_not_counted(tmp_path, reader):
    words = reader(tmp_path / "none")
    assert (str(words), isinstance(words, Uncounted)) == ("done", True)


def test_built_images_are_counted(tmp_path):
    file = tmp_path / "images.json"
    file.write_text(json.dumps({"built": ["a:1", "b:1"], "present": []}))
    assert summaries.of_images(file) == "2 built"


def test_the_verdict_names_what_was_not_counted(tmp_path):
    steps = Steps(tmp_path)
    steps.run("Images", lambda: "")
    steps.run("Workstations", lambda: summaries.DONE)
    assert steps.verdict() == "nothing changed (not counted: Workstations)"
    steps.run("Stack edge dev", lambda: "1 updated")
    assert steps.verdict() == "1 steps changed something (not counted: Workstations)"
