"""Cron expressions as the register writes them, and when one fired last.

Not Debian's python3-croniter: it brings two more packages, its own dialect (seconds, names, L, #), and is no shorter to
use, since the question here is the last firing and not the next.
"""

from __future__ import annotations

import datetime as dt

FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
LONGEST_DAYS = 8 * 366  # 29 February may be eight years apart


class Cron:
    """A five-field cron expression: numbers, `*`, lists, ranges, steps. Sunday is 0 or 7."""

    def __init__(self, expression: str):
        parts = expression.split()
        if len(parts) != len(FIELDS):
            raise ValueError(f"cron expression {expression!r}: wanted 5 fields, seen {len(parts)}")
        values = [_field(part, *bounds, expression) for part, bounds in zip(parts, FIELDS, strict=True)]
        self.minutes, self.hours, self.days, self.months, weekdays = values
        self.weekdays = {day % 7 for day in weekdays}
        # Cron's rule: when both day fields are restricted, either of them is enough.
        self.either = parts[2] != "*" and parts[4] != "*"

    def on(self, day: dt.date) -> bool:
        """Whether it fires on a date at all."""
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_date or by_weekday if self.either else by_date and by_weekday)

    def latest(self, now: dt.datetime) -> dt.datetime | None:
        """When it fired last, at or before `now` (naive local datetimes); None if in none of the last 8 years."""
        for back in range(LONGEST_DAYS):
            day = now.date() - dt.timedelta(days=back)
            if not self.on(day):
                continue
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    moment = dt.datetime.combine(day, dt.time(hour, minute))
                    if moment <= now:
                        return moment
        return None


def _field(text: str, low: int, high: int, expression: str) -> set[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        try:
            start, end = (low, high) if span == "*" else (int(first), int(last if dash else first))
            if step and span != "*" and not dash:
                end = high
            stride = int(step or 1)
        except ValueError:
            raise ValueError(f"cron expression {expression!r}: {item!r} is not a number, range, list or step") from None
        if not (low <= start <= end <= high and stride > 0):
            raise ValueError(f"cron expression {expression!r}: {item!r} is outside {low}-{high}")
        values.update(range(start, end + 1, stride))
    return values
