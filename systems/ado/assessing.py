"""From a return to an assessment with its instalments, and the decision that the citizen gets."""

from __future__ import annotations

import base64
import datetime as dt
from fractions import Fraction

from django.db import transaction
from django.utils import timezone

from systems.ado.models import Assessment, Instalment, Return, Tax, Taxpayer
from systems.chain import send
from systems.core import money
from systems.core.documents import Pdf


class NotPossible(Exception):
    """A return that cannot be decided so; the Hungarian message says why."""


def tax_of(base: int, per_mille: int) -> int:
    """The tax in whole forints."""
    return money.rounded(Fraction(base * per_mille, 1000))


def instalments(tax: Tax, amount: int, year: int) -> list[tuple[dt.date, int]]:
    """Due days and amounts in the year after the tax year; they sum up to the amount, the last one takes the rest."""
    days = list(tax.due_days.all())
    if not days:
        raise NotPossible(f"A(z) {tax.name} adónemnek nincs esedékessége; a beállításokban kell megadni.")
    parts, left = [], amount
    for index, due in enumerate(days):
        part = left if index == len(days) - 1 else money.rounded(Fraction(amount * due.share, 100))
        parts.append((dt.date(year + 1, due.month, due.day), part))
        left -= part
    return parts


def accept(pk: int, clerk: str) -> Assessment:
    """Assess an open return, and tell the records system when it came as a citizen's form."""
    with transaction.atomic():
        entry = _open(pk)
        taxpayer, _ = Taxpayer.objects.get_or_create(
            identifier=entry.identifier, defaults={"name": entry.name, "address": entry.address}
        )
        if Assessment.objects.filter(taxpayer=taxpayer, tax=entry.tax, year=entry.year).exists():
            raise NotPossible(f"{taxpayer.name} {entry.year}. évi {entry.tax.name} adója már ki van vetve.")
        amount = tax_of(entry.base, entry.tax.per_mille)
        made = Assessment.objects.create(
            taxpayer=taxpayer,
            tax=entry.tax,
            year=entry.year,
            base=entry.base,
            per_mille=entry.tax.per_mille,
            amount=amount,
            made_by=clerk,
            of_return=entry,
        )
        for due, part in instalments(entry.tax, amount, entry.year):
            Instalment.objects.create(assessment=made, due=due, amount=part)
        text = f"A bevallást elfogadtuk. A(z) {entry.year}. évi adó {money.shown(amount)} Ft."
        _decide(entry, Return.State.ACCEPTED, clerk, text, _notice(made).content())
    return made


def reject(pk: int, clerk: str, reason: str) -> None:
    """Reject an open return with a reason."""
    with transaction.atomic():
        entry = _open(pk)
        entry.reason = reason
        _decide(entry, Return.State.REJECTED, clerk, f"A bevallást elutasítottuk. Indok: {reason}", None)


def _open(pk: int) -> Return:
    entry = Return.objects.select_for_update(of=("self",)).select_related("tax").get(pk=pk)
    if entry.state != Return.State.OPEN:
        raise NotPossible(f"Ez a bevallás már {entry.get_state_display()}.")
    return entry


def _decide(entry: Return, state: str, clerk: str, text: str, document: bytes | None) -> None:
    entry.state, entry.decided_by, entry.decided_at = state, clerk, timezone.now()
    entry.save()
    if entry.submission is None:
        return
    body = {
        "submission": str(entry.submission),
        "number": entry.number,
        "outcome": state,
        "text": text,
        "decided_by": clerk,
        "document": base64.b64encode(document).decode() if document else None,
    }
    send("irat", "decision", body, key=str(entry.submission))


def _notice(made: Assessment) -> Pdf:
    pdf = Pdf("Adóértesítő", made.of_return.number if made.of_return else "").pairs(
        [
            ("Adózó", made.taxpayer.name),
            ("Adóazonosító", made.taxpayer.identifier),
            ("Adónem", made.tax.name),
            ("Adóév", str(made.year)),
            ("Adóalap (Ft)", made.base),
            ("Mérték", f"{made.per_mille} ‰"),
            ("Adó (Ft)", made.amount),
        ]
    )
    return pdf.section("Esedékesség").table(
        ["Esedékesség", "Összeg (Ft)"], [(part.due, part.amount) for part in made.instalments.all()]
    )


def extract(taxpayer: Taxpayer) -> Pdf:
    """The taxpayer's account as of today: everything due and paid in order of days, and the balance."""
    balance = taxpayer.balance()
    lines = [
        (part.due, f"{part.assessment.tax.name}, {part.assessment.year}", part.amount, None)
        for part in Instalment.objects.filter(assessment__taxpayer=taxpayer).select_related("assessment__tax")
    ]
    lines += [
        (payment.day, f"befizetés ({payment.reference})", None, payment.amount) for payment in taxpayer.payments.all()
    ]
    pdf = Pdf("Adószámla-kivonat", f"{taxpayer.name}, {taxpayer.identifier}")
    pdf.table(["Nap", "Tétel", "Előírás (Ft)", "Befizetés (Ft)"], sorted(lines, key=lambda line: line[0]), (2, 5, 2, 2))
    pdf.pairs(
        [
            ("Nap", balance.day),
            ("Esedékes (Ft)", balance.due),
            ("Befizetett (Ft)", balance.paid),
            ("Késedelmi pótlék (Ft)", balance.interest),
            ("Egyenleg (Ft)", balance.owed),
        ]
    )
    return pdf
