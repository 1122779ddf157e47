"""The table at the end and the exit code."""

from tests.soak.verdict import SHOWN, Verdict, exit_code, table


def test_one_bad_verdict_is_enough_and_one_not_judged_is_none():
    good, bad, young = Verdict("a", True, ""), Verdict("b", False, ""), Verdict("c", None, "")
    assert (exit_code([good]), exit_code([good, young]), exit_code([good, bad])) == (0, 0, 1)


def test_no_verdict_at_all_is_bad():
    assert exit_code([]) == 1


def test_each_verdict_is_a_line_with_its_faults_below():
    lines = table([Verdict("ledgers", True, "9 rules"), Verdict("x", False, "2 wrong", ["one", "two"])]).splitlines()
    assert lines == ["ledgers  good        9 rules", "x        BAD         2 wrong", "    one", "    two"]


def test_a_long_list_of_faults_is_cut_and_says_so():
    text = table([Verdict("x", False, "", [str(n) for n in range(SHOWN + 3)])])
    assert "… and 3 more in the report" in text
