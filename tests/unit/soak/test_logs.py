"""Lines that speak of an error, and what explains them: a fault's own window and nothing else."""

import re

import pytest

from tests.soak.logs import EXPLAINED, GRACE, SUSPECT, Explanation, Line, judge
from tests.soak.windows import Window

KILLED = Window("node", "asp-dev-baz1-postgres-1", 1000, 1020, True)
BACKUP = Window("backup", "asp-dev-baz1-backup", 2000, 2060, False)
AWAY = Explanation("the database is away", r"-irat$", r"connection refused", ("node",))
NOISE = Explanation("a client that hung up", r"-edge$", r"ALERT", always=True)


def line(at, text="ERROR connection refused", service="asp-dev-baz1-irat"):
    return Line(at, service, text)


@pytest.mark.parametrize(
    "text",
    [
        '{"time": 1.0, "level": "ERROR", "message": "x"}',
        '{"level":"error","msg":"x"}',
        "2026-11-30 14:05:33.018 CET [9] FATAL:  terminating connection",
        "Traceback (most recent call last):",
        '{"method": "GET", "status": 503, "refusal": ""}',
        "[ALERT] (8) : Current worker (11) exited with code 139",
        "java.lang.NullPointerException: Exception in thread",
    ],
)
def test_what_speaks_of_an_error_is_seen(text):
    assert SUSPECT.search(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"level": "INFO", "message": "GET /irat/", "status": 200, "ms": 5031}',
        '{"method": "GET", "status": 404, "total_ms": 503}',
        "INFO: incr backup size = 13.0MB, no errors",
        '{"level":"info","status":200}',
    ],
)
def test_what_does_not_is_not(text):
    assert not SUSPECT.search(text)


def test_a_line_is_explained_in_the_window_of_its_fault_and_a_little_after():
    lines = [line(1000), line(1020 + GRACE)]
    verdict, counts = judge(lines, [KILLED], 100, [AWAY])
    assert (verdict.good, counts) == (True, {AWAY.why: 2})


@pytest.mark.parametrize(
    ("stray", "why"),
    [
        (line(999), "before the fault"),
        (line(1021 + GRACE), "long after it"),
        (line(1010, service="asp-dev-baz1-ado"), "of another service"),
        (line(1010, "ERROR division by zero"), "another line"),
    ],
)
def test_the_same_line_elsewhere_is_not_explained(stray, why):
    verdict, counts = judge([line(1010), stray], [KILLED], 100, [AWAY])
    assert verdict.good is False, why
    assert counts == {AWAY.why: 1} and verdict.faults == [f"1 × {stray.service}: {stray.text}"]


def test_the_window_of_another_fault_explains_nothing():
    other = Window("pooler", "asp-dev-baz1-proxy", 1000, 1020, True)
    assert judge([line(1010)], [other], 100, [AWAY])[0].good is False


def test_what_nobody_may_notice_explains_no_line():
    backup = Explanation("a backup", r"", r"refused", ("backup",))
    assert judge([line(2010)], [BACKUP], 100, [backup])[0].good is False


def test_some_lines_may_come_at_any_time():
    assert judge([line(1, "[ALERT] x", "asp-dev-edge")], [], 100, [NOISE])[0].good is True


def test_lines_that_differ_in_numbers_alone_are_told_once():
    verdict, _ = judge([line(1, f"ERROR row {n}") for n in range(300)], [], 400, [])
    assert verdict.faults == ["300 × asp-dev-baz1-irat: ERROR row 0"]


def test_no_log_at_all_is_no_quiet_log():
    assert judge([], [], 0, [])[0].good is False
    assert judge([], [], 1, [])[0].good is True


def test_every_explanation_says_why_and_is_bound_to_a_service_and_a_line():
    from tests.soak.faults import BY_NAME, OF_THE_MACHINE

    assert EXPLAINED
    everything = {fault.name for fault in OF_THE_MACHINE}
    for entry in EXPLAINED:
        bound = len(entry.pattern) > 8 and entry.services.startswith("-")
        assert len(entry.why) > 15 and (bound or set(entry.faults) == everything), entry
        assert re.compile(entry.pattern) and set(entry.faults) <= set(BY_NAME), entry
        assert all(BY_NAME[name].excuses for name in entry.faults), entry
