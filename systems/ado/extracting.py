"""The extract of a taxpayer's account: every entry by day, late interest by tax, and the balance they sum up to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from systems.ado.models import Instalment, PaymentPart, Tax, Taxpayer
from systems.core.pdf import Pdf


@dataclass(frozen=True)
class Line:
    """One entry: forints that were to be paid, or that were paid; negative when a correction took them away."""

    day: dt.date
    text: str
    owed: int | None
    paid: int | None


def lines(taxpayer: Taxpayer, day: dt.date) -> tuple[list[Line], list[Line]]:
    """Entries up to and with a day, which sum up to the balance of that day, and what falls due after it."""
    found = []
    for part in Instalment.objects.filter(assessment__taxpayer=taxpayer).select_related("assessment__tax"):
        made = part.assessment
        found.append(Line(part.due, f"{made.kind}: {made.tax.name}, {made.year}. év", part.amount, None))
    for part in PaymentPart.objects.filter(payment__taxpayer=taxpayer).select_related("payment", "tax").order_by("pk"):
        made = part.payment
        why = f", {made.reason}" if made.reason else ""
        found.append(Line(made.day, f"{made.kind} ({made.reference}): {part.tax.name}{why}", None, part.amount))
    found.sort(key=lambda line: line.day)
    until = [line for line in found if line.day <= day]
    names = dict(Tax.objects.values_list("code", "name"))
    for code, balance in sorted(taxpayer.balances(day).items()):
        if balance.interest:
            until.append(Line(day, f"késedelmi pótlék: {names[code]}", balance.interest, None))
    return until, [line for line in found if line.day > day]


def pdf(taxpayer: Taxpayer) -> Pdf:
    """The account as of today."""
    today = timezone.localdate()
    until, later = lines(taxpayer, today)
    balance = taxpayer.balance(today)
    paper = Pdf("Adószámla-kivonat", f"{taxpayer.name}, {taxpayer.identifier}")
    rows = [(line.day, line.text, line.owed, line.paid) for line in until]
    paper.table(["Nap", "Tétel", "Előírás (Ft)", "Befizetés (Ft)"], rows, (2, 5, 2, 2))
    paper.pairs(
        [
            ("Nap", today),
            ("Esedékes (Ft)", balance.due),
            ("Befizetett (Ft)", balance.paid),
            ("Késedelmi pótlék (Ft)", balance.interest),
            ("Egyenleg (Ft)", balance.owed),
        ]
    )
    if later:
        paper.section("Még nem esedékes")
        paper.table(["Nap", "Tétel", "Összeg (Ft)"], [(line.day, line.text, line.owed) for line in later], (2, 6, 2))
    return paper
