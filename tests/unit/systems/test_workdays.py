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


def test_the_holidays_of_a_year_are_those_of_the_law():
    """2012. évi I. törvény 102. §; in 2026 Easter Sunday is 5 April."""
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    fixed, easter, whitsun = "01-01 03-15 05-01 08-20 10-23 11-01 12-25 12-26", "04-03 04-05 04-06", "05-24 05-25"
    expected = f"{fixed} {easter} {whitsun}".split()
    assert [f"{day:%m-%d}" for day in days if workdays.is_holiday(day)] == sorted(expected)


@pytest.mark.parametrize(("day", "due"), [("2026-11-20", "2026-11-20"), ("2026-11-21", "2026-11-23"),
                                          ("2026-08-08", "2026-08-08"), ("2026-08-20", "2026-08-24")])  # fmt: skip
def test_what_is_due_on_a_working_day_stays_there(day, due):
    assert workdays.after(dt.date.fromisoformat(day), 0) == dt.date.fromisoformat(due)


def test_a_working_saturday_has_the_hours_of_an_ordinary_day():
    saturday = dt.date(2026, 8, 8)
    hours = (dt.datetime.combine(saturday, dt.time(8), ZONE), dt.datetime.combine(saturday, dt.time(16), ZONE))
    assert workdays.hours_of(saturday, HOURS) == hours
    assert workdays.hours_of(dt.date(2026, 11, 21), HOURS) is None


def at(day, hour, minute=0):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("begin", "minutes", "due"),
    [
        (at(19, 15), 60, at(19, 16)),  # what ends at closing time is due today
        (at(19, 15), 61, at(20, 8, 1)),
        (at(19, 8), 8 * 60, at(19, 16)),
        (at(19, 16), 1, at(20, 8, 1)),
        (at(19, 7), 1, at(19, 8, 1)),
    ],
)
def test_what_is_due_at_closing_time_is_due_today(begin, minutes, due):
    assert workdays.due(begin, dt.timedelta(minutes=minutes), HOURS) == due


@pytest.mark.parametrize("hours_ahead", [-9, 0, 9])
def test_a_moment_is_of_the_day_in_hungary(hours_ahead):
    """Wherever it was written down, Thursday 0:30 here is neither of Wednesday nor of Friday."""
    zone = dt.timezone(dt.timedelta(hours=hours_ahead))
    early, late = (dict.fromkeys(range(5), (dt.time(hour), dt.time(hour + 1))) for hour in (0, 22))
    for begin, hours, due in ((at(19, 0, 30), early, at(19, 1)), (at(19, 22, 30), late, at(19, 23))):
        elsewhere = begin.astimezone(zone)
        assert workdays.due(elsewhere, dt.timedelta(minutes=30), hours) == due
        assert workdays.open_time(elsewhere, due.astimezone(zone), hours) == dt.timedelta(minutes=30)


def test_a_friday_afternoon_is_not_open():
    begin = dt.datetime(2026, 11, 20, 13, 0, tzinfo=ZONE)
    assert workdays.due(begin, dt.timedelta(hours=1), HOURS) == dt.datetime(2026, 11, 23, 8, 30, tzinfo=ZONE)
