"""A drill compares what came back with what was there, repository by repository in turn, and signs only what it saw."""

import contextlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from centre.backup import drill
from centre.backup.contents import Difference, differences
from centre.reach.runtime import RuntimeFault
from inventory.register import load
from stacks.configs.pgbackrest import DAILY, VAULT

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TABLES = {"ado.payment": [3, "11"], "irat.document": [5, "22"], "irat.document_id_seq": [5, ""]}


@pytest.fixture
def prove(monkeypatch):
    """`prove(before, after, copy, last)`: what was signed. `last`: repository of the proof before, or None."""

    def printout(tables):
        return "".join(json.dumps([name, *row]) + "\n" for name, row in tables.items())

    def go(before=None, after=None, copy=None, last=None):
        before = TABLES if before is None else before
        readings = [before, before if after is None else after]
        register = load("dev")
        scratch = []

        @contextlib.contextmanager
        def restored(cell, tenant, moment, repository):
            scratch.append(repository)
            yield SimpleNamespace(script=lambda sql: printout(before if copy is None else copy))

        cell = SimpleNamespace(
            runtime=SimpleNamespace(register=register),
            rows=lambda sql: [NOON.isoformat()],
            script=lambda *_: printout(readings.pop(0)),
        )
        proofs = [{"municipality": "16054", "repository": last}] if last else []
        monkeypatch.setattr(drill, "restored", restored)
        monkeypatch.setattr(drill, "archive_up_to_now", lambda *_: None)
        monkeypatch.setattr(drill.ledger, "read", lambda *_: proofs)
        monkeypatch.setattr(drill.ledger, "append", lambda register, secrets, proof: proof)
        proof = drill.prove(cell, None, register.municipality("16054"))
        assert scratch == [proof["repository"]]
        return proof

    return go


@pytest.mark.parametrize(("last", "repository"), [(None, DAILY), (DAILY, VAULT), (VAULT, DAILY)])
def test_the_repositories_take_turns(prove, last, repository):
    assert prove(last=last)["repository"] == repository


def test_a_proof_says_how_much_was_compared(prove):
    proof = prove()
    assert (proof["tables"], proof["rows"], proof["moving"]) == (2, 8, 0), "sequences are not compared"
    assert (proof["municipality"], proof["moment"]) == ("16054", "2026-11-23T12:00:00.000+00:00")


def test_a_table_that_changed_meanwhile_is_counted_apart(prove):
    moving = TABLES | {"ado.payment": [4, "44"]}
    proof = prove(after=moving, copy=moving)
    assert (proof["tables"], proof["rows"], proof["moving"]) == (1, 5, 1)


@pytest.mark.parametrize(
    ("copy", "says"),
    [
        (TABLES | {"irat.document": [4, "22"]}, "irat.document: 5 → 4"),
        (TABLES | {"irat.document": [5, "23"]}, "irat.document: 5 rows, others"),
        ({"irat.document": [5, "22"]}, "ado.payment: 3 → absent"),
    ],
)
def test_what_does_not_come_back_as_it_was_is_no_proof(prove, copy, says):
    with pytest.raises(RuntimeFault, match=f"t16054 does not come back out of repository 1 .*{says}"):
        prove(copy=copy)


def test_tables_differ_by_rows_by_their_content_and_by_being_there():
    before = {"a": (1, "1"), "b": (2, "2"), "c": (3, "3"), "s": (1, ""), "t": (1, "")}
    after = {"a": (1, "1"), "b": (2, "9"), "d": (4, "4"), "s": (2, ""), "u": (1, "")}
    tables = [Difference("b", 2, 2), Difference("c", 3, None), Difference("d", None, 4)]
    assert differences(before, after, sequences=False) == tables
    assert differences(before, after) == [
        *tables, Difference("s", 1, 2), Difference("t", 1, None), Difference("u", None, 1),
    ]  # fmt: skip
    assert differences(before, before) == []
