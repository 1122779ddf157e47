"""From a return to an assessment with its instalments, and the decision that the citizen gets."""

from __future__ import annotations

import base64
import datetime as dt
from collections import defaultdict
from fractions import Fraction

from django.db import transaction
from django.utils import timezone

from systems.ado.account import NotPossible
from systems.ado.models import Assessment, Instalment, Return, Tax, Taxpayer
from systems.chain import send
from systems.core import money
from systems.core.pdf import Pdf
from systems.shared import workdays


def tax_of(base: int, per_mille: int) -> int:
    """The tax in whole forints."""
    return money.rounded(Fraction(base * per_mille, 1000))


def instalments(tax: Tax, amount: int, year: int, decided: dt.date | None = None) -> list[tuple[dt.date, int]]:
    """Due days and amounts of a tax year; they sum up to the amount, the last one takes the rest.

    A day that is no working day moves to the next one. What the office assesses falls due `notice_days` after the day
    of its decision at the earliest; parts that come to one day are one.
    """
    days = list(tax.due_days.all())
    if not days:
        raise NotPossible(f"A(z) {tax.name} adónemnek nincs esedékessége; a beállításokban kell megadni.")
    earliest = notified(tax, decided) if decided and tax.by_decision else dt.date.min
    parts, left = defaultdict(int), amount
    for index, due in enumerate(days):
        part = left if index == len(days) - 1 else money.rounded(Fraction(amount * due.share, 100))
        parts[workdays.after(max(dt.date(year + tax.year_offset, due.month, due.day), earliest), 0)] += part
        left -= part
    return list(parts.items())


def notified(tax: Tax, decided: dt.date) -> dt.date:
    """The first day on which the office may want what it decided."""
    return workdays.after(decided + dt.timedelta(days=tax.notice_days), 0)


def differences(current: Assessment, amount: int, earliest: dt.date) -> list[tuple[dt.date, int]]:
    """Instalments that bring a year's tax to `amount`.

    More is due on `earliest`, but not before the tax itself; less is taken away from the last due days, and bears no
    interest for the time before either.
    """
    due, more = defaultdict(int), amount - current.amount
    own = {"assessment__taxpayer": current.taxpayer_id, "assessment__tax": current.tax_id}
    for part in Instalment.objects.filter(**own, assessment__year=current.year):
        due[part.due] += part.amount
    if more > 0:
        return [(max([earliest, *due]), more)]
    parts = []
    for day in sorted(due, reverse=True):
        if taken := min(due[day], -more):
            parts.append((day, -taken))
            more += taken
    return parts


def accept(pk: int, clerk: str, correction: bool = False) -> Assessment:
    """Assess an open return, and tell the records system when it came as a citizen's form.

    As a `correction` it is the taxpayer's own of a year that is assessed already.
    """
    with transaction.atomic():
        entry = _open(pk)
        # The account is held: of two returns of one year that are accepted at once, the second sees the first.
        taxpayer, _ = Taxpayer.objects.select_for_update().get_or_create(
            identifier=entry.identifier, defaults={"name": entry.name, "address": entry.address}
        )
        current = assessed(entry)
        what = f"{taxpayer.name} {entry.year}. évi {entry.tax.name} adója"
        if current and not correction:
            raise NotPossible(f"{what} már ki van vetve. Ha ez önellenőrzés, akként fogadja el.")
        if correction and not current:
            raise NotPossible(f"{what} még nincs kivetve, ezért nincs mit helyesbíteni.")
        per_mille = current.per_mille if current else entry.tax.per_mille
        amount = tax_of(entry.base, per_mille)
        made = Assessment.objects.create(
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
            more = money.shown(amount - current.amount)
            text = f"Az önellenőrzést elfogadtuk. A(z) {entry.year}. évi adó {money.shown(amount)} Ft"
            text += f", a különbözet {more} Ft."
        else:
            parts = instalments(entry.tax, amount, entry.year, timezone.localdate())
            text = f"A bevallást elfogadtuk. A(z) {entry.year}. évi adó {money.shown(amount)} Ft."
        _divide(made, parts)
        _decide(entry, Return.State.ACCEPTED, clerk, text, _notice(made).content())
    return made


def assessed(entry: Return) -> Assessment | None:
    """The assessment that holds for a return's taxpayer, tax and year."""
    same = Assessment.objects.filter(taxpayer__identifier=entry.identifier, tax=entry.tax, year=entry.year)
    return same.filter(replaced_by=None).first()


def correct(pk: int, base: int, reason: str, clerk: str) -> Assessment:
    """Replace an assessment by one with the right base; the difference is due after the office's decision."""
    with transaction.atomic():
        wrong = Assessment.objects.select_related("tax", "taxpayer").get(pk=pk)
        Taxpayer.hold([wrong.taxpayer_id])
        if Assessment.objects.filter(replaces=wrong).exists():
            raise NotPossible("Ezt a kivetést már helyesbítették.")
        if base == wrong.base:
            raise NotPossible("Az adóalap most is ennyi, nincs mit helyesbíteni.")
        amount = tax_of(base, wrong.per_mille)
        made = Assessment.objects.create(
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
        _divide(made, differences(wrong, amount, notified(wrong.tax, timezone.localdate())))
    return made


def _divide(made: Assessment, parts: list[tuple[dt.date, int]]) -> None:
    Instalment.objects.bulk_create(Instalment(assessment=made, due=due, amount=part) for due, part in parts)


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
            *([("Különbözet (Ft)", made.amount - made.replaces.amount)] if made.replaces else []),
        ]
    )
    return pdf.section("Esedékesség").table(
        ["Esedékesség", "Összeg (Ft)"], [(part.due, part.amount) for part in made.instalments.all()]
    )
