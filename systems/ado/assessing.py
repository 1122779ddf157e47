"""From a return to an assessment with its instalments, and the decision that the citizen receives."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction

from django.db import transaction
from django.utils import timezone

from systems.ado.models import Assessment, Instalment, Return, Tax, Taxpayer
from systems.core import money
from systems.core.errors import NotPossible
from systems.core.pdf import Pdf
from systems.exchange import cases
from systems.shared import workdays


def tax_of(base: int, per_mille: int) -> int:
    """The tax in whole forints."""
    return money.round_to_forint(Fraction(base * per_mille, 1000))


def instalments(tax: Tax, amount: int, year: int, decision_day: dt.date | None = None) -> list[tuple[dt.date, int]]:
    """Due days and amounts of a tax year; they sum up to the amount, the last one takes the remainder.

    A due day moves to the next working day. What the office assesses falls due `notice_days` after the day
    of its decision at the earliest; parts that fall on one day become one.
    """
    days = list(tax.due_days.all())
    if not days:
        raise NotPossible(f"A(z) {tax.name} adónemnek nincs esedékessége; a beállításokban kell megadni.")
    earliest = first_claim_day(tax, decision_day) if decision_day and tax.by_decision else dt.date.min
    parts, remainder = defaultdict(int), amount
    for index, due in enumerate(days):
        part = remainder if index == len(days) - 1 else money.round_to_forint(Fraction(amount * due.share, 100))
        parts[workdays.after(max(dt.date(year + tax.year_offset, due.month, due.day), earliest), 0)] += part
        remainder -= part
    return list(parts.items())


def first_claim_day(tax: Tax, decision_day: dt.date) -> dt.date:
    """The first day on which the office may claim what it has decided."""
    return workdays.after(decision_day + dt.timedelta(days=tax.notice_days), 0)


def differences(current: Assessment, amount: int, earliest: dt.date) -> list[tuple[dt.date, int]]:
    """Instalments that bring a year's tax to `amount`.

    An increase is due on `earliest`, but not before the tax itself; a decrease is taken from the last due days, and
    bears no interest for the time before, either.
    """
    dues, difference = defaultdict(int), amount - current.amount
    account = {"assessment__taxpayer": current.taxpayer_id, "assessment__tax": current.tax_id}
    for part in Instalment.objects.filter(**account, assessment__year=current.year):
        dues[part.due] += part.amount
    if difference > 0:
        return [(max([earliest, *dues]), difference)]
    parts = []
    for day in sorted(dues, reverse=True):
        if cut := min(dues[day], -difference):
            parts.append((day, -cut))
            difference += cut
    return parts


def accept(pk: int, clerk: str, correction: bool = False) -> Assessment:
    """Assess an open return, and send the decision to the records system when it came as a citizen's form.

    `correction`: the taxpayer's own, of a year that has been assessed already.
    """
    with transaction.atomic():
        entry = _open(pk)
        # The account is locked: when two returns of one year are accepted at once, the second sees the first.
        taxpayer, _ = Taxpayer.objects.select_for_update().get_or_create(
            identifier=entry.identifier, defaults={"name": entry.name, "address": entry.address}
        )
        current = current_assessment(entry)
        title = f"{taxpayer.name} {entry.year}. évi {entry.tax.name} adója"
        if current and not correction:
            raise NotPossible(f"{title} már ki van vetve. Ha ez önellenőrzés, akként fogadja el.")
        if correction and not current:
            raise NotPossible(f"{title} még nincs kivetve, ezért nincs mit helyesbíteni.")
        per_mille = current.per_mille if current else entry.tax.per_mille
        amount = tax_of(entry.base, per_mille)
        assessment = Assessment.objects.create(
            taxpayer=taxpayer,
            tax=entry.tax,
            year=entry.year,
            base=entry.base,
            per_mille=per_mille,
            amount=amount,
            made_by=clerk,
            of_return=entry,
            replaces=current,
        )
        if current:
            parts = differences(current, amount, workdays.after(timezone.localdate(entry.received_at), 0))
            more = money.to_text(amount - current.amount)
            text = f"Az önellenőrzést elfogadtuk. A(z) {entry.year}. évi adó {money.to_text(amount)} Ft"
            text += f", a különbözet {more} Ft."
        else:
            parts = instalments(entry.tax, amount, entry.year, timezone.localdate())
            text = f"A bevallást elfogadtuk. A(z) {entry.year}. évi adó {money.to_text(amount)} Ft."
        _divide(assessment, parts)
        _decide(entry, Return.State.ACCEPTED, clerk, text, _notice(assessment).content())
    return assessment


def current_assessment(entry: Return) -> Assessment | None:
    """The assessment in force for a return's taxpayer, tax and year."""
    assessments = Assessment.objects.filter(taxpayer__identifier=entry.identifier, tax=entry.tax, year=entry.year)
    return assessments.filter(replaced_by=None).first()


def correct(pk: int, base: int, reason: str, clerk: str) -> Assessment:
    """Replace an assessment by one with the correct base; the difference is due after the office's decision."""
    with transaction.atomic():
        wrong = Assessment.objects.select_related("tax", "taxpayer").get(pk=pk)
        Taxpayer.hold([wrong.taxpayer_id])
        if Assessment.objects.filter(replaces=wrong).exists():
            raise NotPossible("Ezt a kivetést már helyesbítették.")
        if base == wrong.base:
            raise NotPossible("Az adóalap most is ennyi, nincs mit helyesbíteni.")
        amount = tax_of(base, wrong.per_mille)
        assessment = Assessment.objects.create(
            taxpayer=wrong.taxpayer,
            tax=wrong.tax,
            year=wrong.year,
            base=base,
            per_mille=wrong.per_mille,
            amount=amount,
            made_by=clerk,
            replaces=wrong,
            reason=reason,
        )
        _divide(assessment, differences(wrong, amount, first_claim_day(wrong.tax, timezone.localdate())))
    return assessment


def _divide(assessment: Assessment, parts: list[tuple[dt.date, int]]) -> None:
    Instalment.objects.bulk_create(Instalment(assessment=assessment, due=due, amount=part) for due, part in parts)


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
    cases.send_decision(entry.submission, entry.number, state, text, clerk, document)


def _notice(assessment: Assessment) -> Pdf:
    pdf = Pdf("Adóértesítő", assessment.of_return.number if assessment.of_return else "").pairs(
        [
            ("Adózó", assessment.taxpayer.name),
            ("Adóazonosító", assessment.taxpayer.identifier),
            ("Adónem", assessment.tax.name),
            ("Adóév", str(assessment.year)),
            ("Adóalap (Ft)", assessment.base),
            ("Mérték", f"{assessment.per_mille} ‰"),
            ("Adó (Ft)", assessment.amount),
            *([("Különbözet (Ft)", assessment.amount - assessment.replaces.amount)] if assessment.replaces else []),
        ]
    )
    return pdf.section("Esedékesség").table(
        ["Esedékesség", "Összeg (Ft)"], [(part.due, part.amount) for part in assessment.instalments.all()]
    )
