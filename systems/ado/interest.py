"""Late interest (késedelmi pótlék, 2017. évi CL. törvény 206. and 209. §), rounded to forints only once, at the end.

Each calendar day of a delay, from the day after the due day to the day of payment, bears the rate that is in force on
that day. A day's rate is a 365th of the yearly one, cut off after the third decimal of a percent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from systems.core import money

DAYS_OF_A_YEAR = 365  # of the law's daily rate, in leap years too
THOUSANDTHS = 100_000  # of a percent, in the whole
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Rate:
    """A yearly rate in hundredths of a percent (1250 = 12.5 %), from a day until the next rate's day."""

    since: dt.date
    basis_points: int


@dataclass(frozen=True)
class Entry:
    """A change of the debt on a day, in forints: an amount due is positive, a payment negative."""

    day: dt.date
    amount: int


def exact(entries: Sequence[Entry], rates: Sequence[Rate], until: dt.date) -> Fraction:
    """Interest of all days up to and including `until`, on the debt at the end of each day before; a credit bears none.

    `rates` are in order of day.
    """
    days = sorted({entry.day for entry in entries} | {rate.since - DAY for rate in rates} | {until})
    total, owed = Fraction(0), 0
    for begin, end in zip(days, days[1:], strict=False):
        owed += sum(entry.amount for entry in entries if entry.day == begin)
        if end > until:
            break
        total += Fraction(max(owed, 0) * (end - begin).days * _daily(rates, begin + DAY), THOUSANDTHS)
    return total


def in_forints(entries: Sequence[Entry], rates: Sequence[Rate], until: dt.date) -> int:
    """The same in whole forints."""
    return money.round_to_forint(exact([e for e in entries if e.day <= until], rates, until))


def _daily(rates: Sequence[Rate], day: dt.date) -> int:
    """Thousandths of a percent for a day: of the last rate that began by that day."""
    points = [rate.basis_points for rate in rates if rate.since <= day]
    return points[-1] * 10 // DAYS_OF_A_YEAR if points else 0
