"""The extract of a taxpayer's account: every entry by day, late interest by tax, and the resulting balance."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from systems.ado.models import Instalment, PaymentPart, Tax, Taxpayer
from systems.core.pdf import Pdf


@dataclass(frozen=True)
class Line:
    """One entry: forints due or forints paid; negative when a correction reduced them."""

    day: dt.date
    text: str
    owed: int | None
    paid: int | None


def lines(taxpayer: Taxpayer, day: dt.date) -> tuple[list[Line], list[Line]]:
    """Entries up to and including a day, which sum up to that day's balance, and what falls due later."""
    entries = []
    for part in Instalment.objects.filter(assessment__taxpayer=taxpayer).select_related("assessment__tax"):
        assessment = part.assessment
        entries.append(
            Line(part.due, f"{assessment.kind}: {assessment.tax.name}, {assessment.year}. év", part.amount, None)
        )
    for part in PaymentPart.objects.filter(payment__taxpayer=taxpayer).select_related("payment", "tax").order_by("pk"):
        payment = part.payment
        reason = f", {payment.reason}" if payment.reason else ""
        entries.append(
            Line(payment.day, f"{payment.kind} ({payment.reference}): {part.tax.name}{reason}", None, part.amount)
        )
    entries.sort(key=lambda line: line.day)
    past = [line for line in entries if line.day <= day]
    names = dict(Tax.objects.values_list("code", "name"))
    for code, balance in sorted(taxpayer.balances(day).items()):
        if balance.interest:
            past.append(Line(day, f"késedelmi pótlék: {names[code]}", balance.interest, None))
    return past, [line for line in entries if line.day > day]


def pdf(taxpayer: Taxpayer) -> Pdf:
    """The account as of today."""
    today = timezone.localdate()
    past, later = lines(taxpayer, today)
    balance = taxpayer.balance(today)
    paper = Pdf("Adószámla-kivonat", f"{taxpayer.name}, {taxpayer.identifier}")
    rows = [(line.day, line.text, line.owed, line.paid) for line in past]
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
