"""Good answers outside the windows of faults, and faults that end by themselves."""

from tests.soak.journal import Answer
from tests.soak.windows import Window, availability, repaired

KILLED = Window("node", "pg-1", 100, 130, True)
BACKUP = Window("backup", "repo", 200, 260, False)


def answers(at, count, fault="", seconds=1.0):
    return [Answer(at, seconds, "minta", "irat", "GET /irat/", 503 if fault else 200, fault) for _ in range(count)]


def test_bad_answers_in_a_window_are_excused_and_good_ones_there_do_not_count():
    verdict = availability(answers(10, 100) + answers(110, 50, "503") + answers(120, 900), [KILLED], 99.5)
    assert verdict.good is True
    assert "100.00 % of 100 answers" in verdict.figures
    assert "1 windows, 30 s in all; inside them 50 bad of 950" in verdict.figures


def test_the_clause_is_the_limit():
    fine, bad = answers(10, 995), answers(10, 5, "500")
    assert availability(fine + bad, [KILLED], 99.5).good is True
    assert availability(fine[1:] + bad, [KILLED], 99.5).good is False


def test_an_answer_that_was_asked_for_before_a_fault_and_came_in_it_is_excused():
    good = answers(10, 10)
    assert availability(good + answers(90, 1, "no answer", seconds=20), [KILLED], 99.5).good is True
    assert availability(good + answers(90, 1, "no answer", seconds=5), [KILLED], 99.5).good is False
    assert availability(good + answers(131, 1, "no answer"), [KILLED], 99.5).good is False


def test_what_nobody_may_notice_excuses_nothing():
    verdict = availability(answers(10, 10) + answers(210, 1, "503"), [BACKUP], 99.5)
    assert verdict.good is False
    assert verdict.faults == ["1 × GET /irat/: 503"]


def test_no_answers_at_all_are_no_good_ones():
    assert availability([], [KILLED], 99.5).good is False
    assert availability(answers(110, 5), [KILLED], 99.5).good is False


def test_a_fault_that_was_not_over_in_time_is_told():
    stuck = Window("identity", "keycloak", 1, 200, True, "not over within 180 s: keret: 503")
    assert repaired([KILLED, BACKUP]).good is True
    verdict = repaired([KILLED, stuck])
    assert (verdict.good, verdict.faults) == (False, ["identity keycloak: not over within 180 s: keret: 503"])


def test_a_soak_without_faults_proves_nothing():
    assert repaired([]).good is False
