"""The arithmetic of a tax account: what is owed on a day, and which tax a payment settles. No database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from systems.ado import interest
from systems.ado.interest import Entry, Rate

DUE, INTEREST, TO_COME = range(3)  # the order in which money settles what is open


class NotPossible(Exception):
    """A deed that the account does not allow; the Hungarian message says why."""


@dataclass(frozen=True)
class Balance:
    """Forints due and paid up to a day, and the interest on what was late."""

    day: dt.date
    due: int = 0
    paid: int = 0
    interest: int = 0

    @property
    def owed(self) -> int:
        """Positive: a debt with its interest; negative: overpaid."""
        return self.due + self.interest - self.paid

    def __add__(self, other: Balance) -> Balance:
        return Balance(self.day, self.due + other.due, self.paid + other.paid, self.interest + other.interest)


@dataclass
class Ledger:
    """One tax of one taxpayer: what falls due (a correction may take away), and what was paid (or went back)."""

    due: list[Entry] = field(default_factory=list)
    paid: list[Entry] = field(default_factory=list)

    def balance(self, rates: Sequence[Rate], day: dt.date) -> Balance:
        entries = [*self.due, *(Entry(entry.day, -entry.amount) for entry in self.paid)]
        due, paid = (sum(e.amount for e in side if e.day <= day) for side in (self.due, self.paid))
        return Balance(day, due, paid, interest.rounded(entries, rates, day))

    def open(self, rates: Sequence[Rate], day: dt.date) -> list[tuple[int, dt.date, int]]:
        """(stage, due day, amount) of what is not settled yet on a day, as money settles it."""
        credit = sum(e.amount for e in self.paid) - sum(e.amount for e in self.due if e.amount < 0)
        wanted = [(TO_COME if e.day > day else DUE, e.day, e.amount) for e in self.due if e.amount > 0]
        found = []
        for stage, due, amount in sorted([*wanted, (INTEREST, day, self.balance(rates, day).interest)]):
            taken = min(credit, amount)
            credit -= taken
            if amount > taken:
                found.append((stage, due, amount - taken))
        return found


def settled(ledgers: Mapping[str, Ledger], rates: Sequence[Rate], amount: int, day: dt.date) -> dict[str, int] | None:
    """Forints of a payment by tax: the oldest debt first, late interest next, then what is to come, by tax's code on
    one day. What is left over goes to the tax that is due last; None when nothing was assessed."""
    found: dict[str, int] = {}
    claims = sorted(
        (stage, due, code, claim) for code, ledger in ledgers.items() for stage, due, claim in ledger.open(rates, day)
    )
    for _, _, code, claim in claims:
        taken = min(amount, claim)
        if taken:
            found[code] = found.get(code, 0) + taken
            amount -= taken
    if amount:
        last = max(((entry.day, code) for code, ledger in ledgers.items() for entry in ledger.due), default=None)
        if not last:
            return None
        found[last[1]] = found.get(last[1], 0) + amount
    return found
