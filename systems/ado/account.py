"""The arithmetic of a tax account, without a database: what is owed on a day, and which tax a payment settles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from systems.ado import interest
from systems.ado.interest import Entry, Rate

DUE, INTEREST, TO_COME = range(3)  # the order in which money settles what is open


@dataclass(frozen=True)
class Balance:
    """Forints due and paid up to a day, and the interest on late amounts."""

    day: dt.date
    due: int = 0
    paid: int = 0
    interest: int = 0

    @property
    def owed(self) -> int:
        """Positive: a debt including interest; negative: an overpayment."""
        return self.due + self.interest - self.paid

    def __add__(self, other: Balance) -> Balance:
        return Balance(self.day, self.due + other.due, self.paid + other.paid, self.interest + other.interest)


@dataclass
class Ledger:
    """One tax of one taxpayer: charges (negative after a correction) and payments (negative for refunds)."""

    charges: list[Entry] = field(default_factory=list)
    payments: list[Entry] = field(default_factory=list)

    def balance(self, rates: Sequence[Rate], day: dt.date) -> Balance:
        entries = [*self.charges, *(Entry(entry.day, -entry.amount) for entry in self.payments)]
        due, paid = (sum(e.amount for e in side if e.day <= day) for side in (self.charges, self.payments))
        return Balance(day, due, paid, interest.in_forints(entries, rates, day))

    def claims(self, rates: Sequence[Rate], day: dt.date) -> list[tuple[int, dt.date, int]]:
        """(stage, due day, amount) of what is not settled yet on a day, in the order in which money settles it."""
        credit = sum(e.amount for e in self.payments) - sum(e.amount for e in self.charges if e.amount < 0)
        rows = [(TO_COME if e.day > day else DUE, e.day, e.amount) for e in self.charges if e.amount > 0]
        claims = []
        for stage, due, amount in sorted([*rows, (INTEREST, day, self.balance(rates, day).interest)]):
            part = min(credit, amount)
            credit -= part
            if amount > part:
                claims.append((stage, due, amount - part))
        return claims


def split_payment(
    ledgers: Mapping[str, Ledger], rates: Sequence[Rate], amount: int, day: dt.date
) -> dict[str, int] | None:
    """Forints of a payment by tax: the oldest debt first, late interest next, then what is to come, by tax's code on
    one day. A surplus goes to the tax that is due last; None when nothing was assessed."""
    parts: dict[str, int] = {}
    claims = sorted(
        (stage, due, code, claim) for code, ledger in ledgers.items() for stage, due, claim in ledger.claims(rates, day)
    )
    for _, _, code, claim in claims:
        part = min(amount, claim)
        if part:
            parts[code] = parts.get(code, 0) + part
            amount -= part
    if amount:
        last_charge = max(
            ((entry.day, code) for code, ledger in ledgers.items() for entry in ledger.charges), default=None
        )
        if not last_charge:
            return None
        parts[last_charge[1]] = parts.get(last_charge[1], 0) + amount
    return parts
