"""Cron expressions mean what cron means."""

import datetime as dt

import pytest
from asp_backup.cron import Cron
from hypothesis import given, settings
from hypothesis import strategies as st

MONDAY_NOON = dt.datetime(2026, 11, 23, 12, 0)

moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31))


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        ("30 1 * * 0", "2026-11-23 12:00", "2026-11-22 01:30"),
        ("30 1 * * 7", "2026-11-23 12:00", "2026-11-22 01:30"),
        ("30 1 * * 1-6", "2026-11-23 01:29", "2026-11-21 01:30"),
        ("30 1 * * 1-6", "2026-11-23 01:30", "2026-11-23 01:30"),
        ("*/15 * * * *", "2026-11-23 12:44", "2026-11-23 12:30"),
        ("0 4 1 * *", "2026-11-23 12:00", "2026-11-01 04:00"),
        ("0 0 29 2 *", "2027-03-01 00:00", "2024-02-29 00:00"),
        ("0 4 1 * 1", "2026-11-23 12:00", "2026-11-23 04:00"),  # either day field is enough
        ("0 4,16 * * *", "2026-11-23 12:00", "2026-11-23 04:00"),
    ],
)
def test_latest_firing(expression, now, expected):
    assert Cron(expression).latest(dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(expected)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 6), moments)
def test_latest_is_the_last_match_going_back_minute_by_minute(minute, hour, weekday, now):
    latest = Cron(f"{minute} {hour} * * {weekday}").latest(now)
    assert latest <= now < latest + dt.timedelta(days=7)
    assert (latest.minute, latest.hour, latest.isoweekday() % 7) == (minute, hour, weekday)


def test_a_day_that_never_comes_never_fires():
    assert Cron("0 0 31 2 *").latest(MONDAY_NOON) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("30 1 * *", "wanted 5 fields, seen 4"),
        ("60 1 * * *", "'60' is outside 0-59"),
        ("x 1 * * *", "'x' is not a number"),
        ("5-1 1 * * *", "'5-1' is outside"),
        ("*/0 1 * * *", r"'\*/0' is outside"),
    ],
)
def test_a_wrong_expression_is_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        Cron(expression)
