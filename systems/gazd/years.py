"""Years of the books: opened, closed period by period, and what a closed one leaves carried into the next.

A year may be opened while the one before is still being closed: money moves from 1 January on, the closing takes weeks.
The opening voucher is posted at the moment when both are true, so that it is what the closed books say.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.db import transaction
from django.db.models import F

from systems.gazd import reports
from systems.gazd.bookkeeping import Line, NotPossible, post
from systems.gazd.models import Appropriation, Commitment, FiscalYear, Invoice, Voucher

BALANCE_SHEET = ("1", "2", "3", "4")  # classes of accounts whose balances go on; those of the others are the result
EQUITY = "41"  # takes the result


def open_year(year: int, clerk: str) -> FiscalYear:
    """The books of a year, opened when they are not yet. `clerk`: username, of what is carried from a closed year."""
    with transaction.atomic():
        books, opened = FiscalYear.objects.get_or_create(year=year)
        if opened:
            if FiscalYear.objects.filter(year__gt=year).exists():
                raise NotPossible(f"A(z) {year}. évnél későbbi év már nyitva van.")
            if (before := _before(year)) and before.closed:
                _carry(before, books, clerk)
    return books


def close_through(year: int, day: dt.date, clerk: str) -> None:
    """Close every period up to a day of the year; nothing opens it again."""
    if day.year != year:
        raise NotPossible(f"A zárás napja {year}. évi legyen.")
    with transaction.atomic():
        if (before := _before(year)) and not before.closed:
            raise NotPossible(
                f"Előbb a(z) {before}. évet kell végig lezárni: annak záró egyenlegei itt a nyitó tételek."
            )
        books = FiscalYear.objects.select_for_update().get(pk=year)
        if books.closed_through and day <= books.closed_through:
            raise NotPossible(f"{books.closed_through:%Y. %m. %d.} napjáig már le van zárva.")
        books.closed_through = day
        books.save(update_fields=["closed_through"])
        following = FiscalYear.objects.select_for_update().filter(year__gt=year).order_by("year").first()
        if books.closed and following:
            _carry(books, following, clerk)


def _before(year: int) -> FiscalYear | None:
    """The books before a year's, locked: closing them and opening the year come one after the other."""
    return FiscalYear.objects.select_for_update().filter(year__lt=year).order_by("-year").first()


def _carry(closed: FiscalYear, books: FiscalYear, clerk: str) -> None:
    """Open the ledger of a year with the balances of the closed one, and its budget with what is still ordered."""
    first, balances = dt.date(books.year, 1, 1), Counter()
    for row in reports.trial_balance(closed.year):
        code = row.account.pk if row.account.pk.startswith(BALANCE_SHEET) else EQUITY
        balances[code] += row.debit - row.credit
    lines = [Line(code, debit=max(n, 0), credit=max(-n, 0)) for code, n in sorted(balances.items()) if n]
    if lines and not Voucher.objects.filter(year=books, kind=Voucher.Kind.OPENING).exists():
        post(Voucher.Kind.OPENING, first, f"Nyitás a(z) {closed}. év záró egyenlegeivel", lines, clerk)
    held = Commitment.objects.select_for_update(of=("self",)).filter(appropriation__year=closed).order_by("sequence")
    for commitment in held.select_related("appropriation"):
        _carry_commitment(commitment, books, first, clerk)


def _carry_commitment(held: Commitment, books: FiscalYear, first: dt.date, clerk: str) -> None:
    """Move what is not invoiced yet and what no invoice was paid of to the budget of the new year, with its cover.

    An invoice that was paid in part stays: its rest is in the opening balance of the liabilities.
    """
    unpaid = held.invoice_set.filter(state__in=[Invoice.State.RECORDED, Invoice.State.APPROVED], paid=0)
    waiting = dict(unpaid.select_for_update().values_list("pk", "gross"))
    invoiced = sum(waiting.values())
    amount = held.left + invoiced
    if not amount:
        return
    number, old = held.number, held.appropriation
    plan, _ = Appropriation.objects.select_for_update().get_or_create(
        year=books, item_id=old.item_id, defaults={"original": 0, "modified": 0}
    )
    plan.modifications.create(amount=amount, decision=f"Áthozat: {number}", day=first, recorded_by=clerk)
    plan.modified += amount
    plan.committed += amount
    plan.save(update_fields=["modified", "committed"])
    books.last_commitment += 1
    books.save(update_fields=["last_commitment"])
    made = Commitment.objects.create(
        appropriation=plan,
        sequence=books.last_commitment,
        partner_id=held.partner_id,
        subject=f"{number}: {held.subject}"[:200],
        day=first,
        amount=amount,
        invoiced=invoiced,
        recorded_by=held.recorded_by,  # who ordered and who countersigned stay the same
        countersigned_by=held.countersigned_by,
    )
    Invoice.objects.filter(pk__in=waiting).update(commitment=made)
    held.invoiced -= invoiced
    held.released += amount
    held.save(update_fields=["invoiced", "released"])
    Appropriation.objects.filter(pk=old.pk).update(committed=F("committed") - amount)
