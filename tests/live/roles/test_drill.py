"""Playbook drill on a deployed environment: each repository proven in turn, nothing left, a changed ledger refused."""

import pytest

from centre.backup import ledger
from centre.database import reading
from centre.reach.psql import CellSql
from inventory import paths
from inventory.vault import vault

SUBJECT = "25159"


@pytest.fixture(scope="module", autouse=True)
def joined(play):
    result = play("join", municipality=SUBJECT)
    assert result.code == 0, result.text


def proofs(register):
    return [e for e in ledger.read(register, vault.load(register)) if e["municipality"] == SUBJECT]


def test_each_drill_proves_the_other_repository_and_leaves_nothing(register, runtime, play):
    cell = CellSql(runtime, register.municipality(SUBJECT).cell)
    before, databases = proofs(register), set(reading.shared(cell).databases)
    for _ in range(2):
        result = play("drill", municipality=SUBJECT)
        assert (result.code, result.changed) == (0, 1), result.text
        assert "rows of" in result.text and "tables as they were at" in result.text
    new = proofs(register)[len(before) :]
    assert sorted(entry["repository"] for entry in new) == [1, 2]
    assert all(entry["tables"] > 30 and entry["rows"] > 0 for entry in new)
    assert set(reading.shared(cell).databases) == databases
    assert runtime.client.containers.list(all=True, filters={"label": f"asp.restore=t{SUBJECT}"}) == []


def test_check_mode_says_who_would_be_proven(register, play):
    before = proofs(register)
    preview = play("drill", "--check", municipality=SUBJECT)
    assert (preview.code, preview.changed) == (0, 1), preview.text
    assert f"{SUBJECT} Bánhorváti" in preview.text
    assert proofs(register) == before


def test_after_make_up_the_live_municipality_is_proven_and_nobody_is_due(register, play):
    result = play("drill")
    assert (result.code, result.changed) == (0, 0), result.text
    assert "nobody is due" in result.text


def test_a_changed_ledger_is_refused(register, play):
    file = paths.environment_dir(register.environment.id) / "drills.jsonl"
    text = file.read_text()
    file.write_text(text.replace('"rows":', '"rows":1', 1))
    try:
        result = play("drill", municipality=SUBJECT)
        assert result.code != 0 and "drills.jsonl, line 1: its signature does not hold" in result.text, result.text
    finally:
        file.write_text(text)
