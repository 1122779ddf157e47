"""Working days: known years, and rules that hold for any day and any span."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.shared import workdays
from systems.shared.workdays import ZONE

HOURS = {day: (dt.time(8), dt.time(16)) for day in range(4)} | {4: (dt.time(8), dt.time(13, 30))}
days = st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31))
moments = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2026, 12, 1)).map(
    lambda moment: moment.replace(tzinfo=ZONE)
)
spans = st.timedeltas(dt.timedelta(minutes=1), dt.timedelta(hours=60))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-03-15", False),  # Sunday and holiday
        ("2026-04-03", False),  # Good Friday
        ("2026-04-06", False),  # Easter Monday
        ("2026-05-25", False),  # Whit Monday
        ("2026-08-08", True),  # working Saturday
        ("2026-08-21", False),  # rest day for it
        ("2026-11-23", True),
        ("2026-11-22", False),
    ],
)
def test_known_days(day, works):
    assert workdays.is_workday(dt.date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("year", "day"), [(2024, "03-31"), (2025, "04-20"), (2026, "04-05"), (2027, "03-28"), (2038, "04-25")]
)
def test_easter(year, day):
    assert workdays.easter(year) == dt.date.fromisoformat(f"{year}-{day}")


@given(days, st.integers(0, 60))
def test_after_and_between_agree(day, count):
    later = workdays.after(day, count)
    assert workdays.is_workday(later)
    if count:
        assert workdays.between(day, later) == count


@given(moments, spans)
def test_what_is_due_after_a_span_is_that_much_open_time_away(begin, span):
    due = workdays.due(begin, span, HOURS)
    assert workdays.open_time(begin, due, HOURS) == span
    hours = workdays.hours_of(due.date(), HOURS)
    assert hours and hours[0] <= due <= hours[1]


@given(moments, spans, spans)
def test_open_time_adds_up(begin, first, second):
    middle, end = begin + first, begin + first + second
    assert workdays.open_time(begin, end, HOURS) == sum(
        (workdays.open_time(begin, middle, HOURS), workdays.open_time(middle, end, HOURS)), dt.timedelta()
    )


def test_a_friday_afternoon_is_not_open():
    begin = dt.datetime(2026, 11, 20, 13, 0, tzinfo=ZONE)
    assert workdays.due(begin, dt.timedelta(hours=1), HOURS) == dt.datetime(2026, 11, 23, 8, 30, tzinfo=ZONE)
