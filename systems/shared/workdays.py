"""Working days and opening hours: public holidays by law, moved days by each year's decree; standard library only.

A working Saturday has the hours of the day that it replaces: those of an ordinary weekday.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Budapest")
FIXED = {(1, 1), (3, 15), (5, 1), (8, 20), (10, 23), (11, 1), (12, 25), (12, 26)}  # 2012. I. törvény 102. §
_DATA = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
REST = {dt.date.fromisoformat(day) for day in _DATA["rest"]}
WORK = {dt.date.fromisoformat(day) for day in _DATA["work"]}
Hours = Mapping[int, tuple[dt.time, dt.time]]  # weekday (0 = Monday) → opening hours
STANDARD_DAY = 0  # whose hours a working Saturday has


@cache
def easter(year: int) -> dt.date:
    """Easter Sunday (anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e, f = b // 4, b % 4, (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


def is_holiday(day: dt.date) -> bool:
    """Whether a day is a public holiday by law: a fixed one, Good Friday, Easter or Whit Sunday or Monday."""
    return (day.month, day.day) in FIXED or (day - easter(day.year)).days in (-2, 0, 1, 49, 50)


def is_workday(day: dt.date) -> bool:
    """Whether offices work on that day."""
    if day in WORK:
        return True
    return day.weekday() < 5 and day not in REST and not is_holiday(day)


def after(day: dt.date, count: int) -> dt.date:
    """The day `count` ≥ 0 working days after `day` (not counted); for 0 the day itself or the next working day."""
    if count == 0:
        while not is_workday(day):
            day += dt.timedelta(days=1)
        return day
    while count > 0:
        day += dt.timedelta(days=1)
        count -= is_workday(day)
    return day


def between(first: dt.date, last: dt.date) -> int:
    """Working days after `first`, up to and including `last`; 0 when `last` is not later."""
    return sum(is_workday(first + dt.timedelta(days=n)) for n in range(1, (last - first).days + 1))


def hours_of(day: dt.date, hours: Hours) -> tuple[dt.datetime, dt.datetime] | None:
    """Opening hours on a day (with zone), or None when it is closed."""
    if not is_workday(day):
        return None
    span = hours.get(day.weekday() if day.weekday() < 5 else STANDARD_DAY)
    return (dt.datetime.combine(day, span[0], ZONE), dt.datetime.combine(day, span[1], ZONE)) if span else None


def open_time(begin: dt.datetime, end: dt.datetime, hours: Hours) -> dt.timedelta:
    """The opening time between two moments (both with zone)."""
    total, day = dt.timedelta(), begin.astimezone(ZONE).date()
    while day <= end.astimezone(ZONE).date():
        if span := hours_of(day, hours):
            total += max(dt.timedelta(), min(end, span[1]) - max(begin, span[0]))
        day += dt.timedelta(days=1)
    return total


def due(begin: dt.datetime, span: dt.timedelta, hours: Hours) -> dt.datetime:
    """The moment when `span` of opening time has passed since `begin`; `hours` must not be empty."""
    day = begin.astimezone(ZONE).date()
    while True:
        if opening := hours_of(day, hours):
            start, end = max(begin, opening[0]), opening[1]
            if end > start:
                if end - start >= span:
                    return start + span
                span -= end - start
        day += dt.timedelta(days=1)
