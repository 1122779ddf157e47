"""Ledgers, numbers and chains: what the databases answered becomes a verdict."""

from tests.soak.accounts import LEDGERS, NUMBERS, chains, judge

FINE = {"rows": 5, "wrong": []}


def answers(*more):
    return {("16054", LEDGERS[0]): FINE, ("16054", LEDGERS[4]): FINE, **dict(more)}


def test_rows_that_are_all_right_are_counted():
    verdict = judge("ledgers balanced", answers())
    assert (verdict.good, verdict.figures) == (True, "2 rules over 10 rows of 1 municipalities, 0 wrong")


def test_one_wrong_row_in_one_municipality_is_named():
    verdict = judge("ledgers balanced", answers((("25159", LEDGERS[4]), {"rows": 9, "wrong": ["2026/7"]})))
    assert verdict.good is False
    assert verdict.faults == ["25159 gazd, vouchers balance, and their total is either side: 2026/7"]


def test_a_rule_without_a_row_anywhere_proves_nothing():
    empty = {"rows": 0, "wrong": []}
    assert judge("numbers", answers((("16054", NUMBERS[0]), empty))).good is False
    assert judge("numbers", answers((("16054", NUMBERS[0]), empty), (("25159", NUMBERS[0]), FINE))).good is True
    assert judge("numbers", {}).good is False


def test_every_rule_gives_its_label_and_its_verdict():
    for rule in (*LEDGERS, *NUMBERS):
        assert " AS label" in rule.rows and " AS wrong" in rule.rows, rule.title
        assert f"{rule.system}." in rule.rows, rule.title
    assert len({(rule.system, rule.title) for rule in (*LEDGERS, *NUMBERS)}) == len(LEDGERS) + len(NUMBERS)


def test_a_chain_is_settled_when_nothing_waits_long_and_nothing_is_dead():
    young = [("16054", "elugy → irat form 7", 299.0)]
    assert chains(12, young, [], 5).good is True
    verdict = chains(12, [("16054", "elugy → irat form 7", 301.0)], [], 5)
    assert (verdict.good, verdict.faults) == (False, ["16054 elugy → irat form 7: 5 min"])
    verdict = chains(12, [], [("16054", "elugy → irat form 8: tried 30 times")], 5)
    assert (verdict.good, verdict.faults) == (False, ["16054 elugy → irat form 8: tried 30 times"])


def test_a_chain_that_carried_nothing_proves_nothing():
    assert chains(0, [], [], 5).good is False
