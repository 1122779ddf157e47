"""Late interest by the day, exact: forints × days × rate stay fractions and are rounded only once, at the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from systems.core import money

DAYS_OF_A_YEAR = 365  # of the law's daily rate, in leap years too


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
    """Interest up to and including `until`, on the debt at the end of each day before; a credit bears none.

    A debt bears interest from the day after it is due to the day on which it is paid. `rates` are in order of day.
    """
    days = sorted({entry.day for entry in entries} | {rate.since for rate in rates} | {until})
    total, owed = Fraction(0), 0
    for begin, end in zip(days, days[1:], strict=False):
        owed += sum(entry.amount for entry in entries if entry.day == begin)
        if end > until:
            break
        rate = _rate(rates, begin)
        total += Fraction(max(owed, 0) * (end - begin).days * rate, 10_000 * DAYS_OF_A_YEAR)
    return total


def in_forints(entries: Sequence[Entry], rates: Sequence[Rate], until: dt.date) -> int:
    """The same in whole forints."""
    return money.round_to_forint(exact([e for e in entries if e.day <= until], rates, until))


def _rate(rates: Sequence[Rate], day: dt.date) -> int:
    """Basis points for the night after a day: those of the last rate that began by that day."""
    points = [rate.basis_points for rate in rates if rate.since <= day]
    return points[-1] if points else 0
