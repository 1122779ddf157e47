"""What people were told, against what is there."""

from tests.soak.journal import Write
from tests.soak.written import KINDS, expected, judge, query


def write(kind="document", key="k", acknowledged=True, ksh="16054"):
    return Write(1.0, ksh, kind, key, acknowledged)


def test_what_was_acknowledged_is_there_once():
    verdict = judge([write()], {("16054", "document", "k"): 1})
    assert verdict.good is True
    assert verdict.figures == "1 acknowledged, 1 there; 0 without an answer, 0 wrong"


def test_what_was_acknowledged_and_is_not_there_is_lost():
    verdict = judge([write(), write(key="l")], {("16054", "document", "l"): 1})
    assert (verdict.good, verdict.faults) == (False, ["16054 document k: there 0 times, acknowledged"])
    assert "2 acknowledged, 1 there" in verdict.figures


def test_another_municipality_does_not_count():
    assert judge([write()], {("25159", "document", "k"): 1}).good is False


def test_what_got_no_answer_is_there_once_or_not_at_all():
    writes = [write(), write(key="l", acknowledged=False)]
    counts = {("16054", "document", "k"): 1}
    assert judge(writes, counts).good is True
    assert judge(writes, counts | {("16054", "document", "l"): 1}).good is True
    assert judge(writes, counts | {("16054", "document", "l"): 2}).good is False


def test_what_is_there_twice_is_wrong():
    assert judge([write()], {("16054", "document", "k"): 2}).good is False


def test_a_form_that_was_sent_again_and_then_acknowledged_counts_as_acknowledged():
    for writes in ([write(acknowledged=False), write()], [write(), write(acknowledged=False)]):
        assert judge([write(key="l"), *writes], {("16054", "document", "l"): 1}).good is False


def test_nothing_acknowledged_proves_nothing():
    assert judge([], {}).good is False
    assert judge([write(acknowledged=False)], {}).good is False


def test_a_citizens_form_must_arrive_in_the_records_system_too():
    submission = write("submission", "s")
    assert expected([submission, write()]) == [submission, write(), write("arrived", "s")]


def test_keys_are_quoted_and_conditions_kept():
    assert query("return", ["O'Hara"]) == (
        "SELECT json_build_array(number::text, count(*)) FROM ado.tax_return "
        "WHERE number::text IN ('O''Hara') GROUP BY number;"
    )
    assert " AND state = 'paid' GROUP BY" in query("paid", ["x"])


def test_every_kind_has_a_table_of_a_schema():
    assert all(table.count(".") == 1 and column for table, column, _ in KINDS.values())
