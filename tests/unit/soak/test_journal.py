"""Whether somebody was in every system and got through."""

from tests.soak.journal import Answer, Journal, used


def journal(*systems):
    entries = Journal()
    for system in systems:
        entries.answer(Answer(1.0, 0.1, "minta", system, "GET /", 200))
    entries.done("records.letter")
    entries.done("records.letter")
    return entries


def test_somebody_was_in_each_system():
    verdict = used(["irat", "ado"], journal("irat", "ado", "ado"))
    assert (verdict.good, verdict.faults) == (True, [])
    assert verdict.figures.startswith("2 tasks of 1 kinds done, 3 answers from 2 systems")


def test_a_system_that_nobody_was_in_is_named():
    assert used(["irat", "ado"], journal("irat")).faults == ["nobody was in ado"]


def test_a_task_that_was_given_up_is_bad_and_told_once_with_its_number():
    entries = journal("irat")
    entries.gave_up("minta, taxes.look: no link")
    entries.gave_up("minta, taxes.look: no link")
    verdict = used(["irat"], entries)
    assert (verdict.good, verdict.faults) == (False, ["2 × minta, taxes.look: no link"])
