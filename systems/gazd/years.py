"""Years of the books: opening, closing period by period, and carrying a closed year over into the next.

A year may be opened while the one before is still being closed: money moves from 1 January on, closing takes weeks.
The opening voucher is posted once both have happened, so that it equals the closed books.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.db import transaction
from django.db.models import F

from systems.core.errors import NotPossible
from systems.gazd import reports
from systems.gazd.bookkeeping import Line, post
from systems.gazd.models import Appropriation, Commitment, FiscalYear, Invoice, Voucher

BALANCE_SHEET = ("1", "2", "3", "4")  # classes of accounts that are carried over; the others are the result
EQUITY = "41"  # the result goes here


def open_year(year: int, clerk: str) -> FiscalYear:
    """The books of a year, opened if necessary. `clerk`: username for entries carried over from a closed year."""
    with transaction.atomic():
        books, is_new = FiscalYear.objects.get_or_create(year=year)
        if is_new:
            if FiscalYear.objects.filter(year__gt=year).exists():
                raise NotPossible(f"A(z) {year}. évnél későbbi év már nyitva van.")
            if (before := _before(year)) and before.closed:
                _carry(before, books, clerk)
    return books


def close_through(year: int, day: dt.date, clerk: str) -> None:
    """Close every period up to a day of the year, for good."""
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
        next_books = FiscalYear.objects.select_for_update().filter(year__gt=year).order_by("year").first()
        if books.closed and next_books:
            _carry(books, next_books, clerk)


def _before(year: int) -> FiscalYear | None:
    """The books of the year before, locked, so that closing them and opening the next year never overlap."""
    return FiscalYear.objects.select_for_update().filter(year__lt=year).order_by("-year").first()


def _carry(closed: FiscalYear, books: FiscalYear, clerk: str) -> None:
    """Open a year's ledger with the balances of the closed year, and its budget with the open orders."""
    first_day, balances = dt.date(books.year, 1, 1), Counter()
    for row in reports.trial_balance(closed.year):
        code = row.account.pk if row.account.pk.startswith(BALANCE_SHEET) else EQUITY
        balances[code] += row.debit - row.credit
    lines = [Line(code, debit=max(n, 0), credit=max(-n, 0)) for code, n in sorted(balances.items()) if n]
    if lines and not Voucher.objects.filter(year=books, kind=Voucher.Kind.OPENING).exists():
        post(Voucher.Kind.OPENING, first_day, f"Nyitás a(z) {closed}. év záró egyenlegeivel", lines, clerk)
    commitments = (
        Commitment.objects.select_for_update(of=("self",)).filter(appropriation__year=closed).order_by("sequence")
    )
    for commitment in commitments.select_related("appropriation"):
        _carry_commitment(commitment, books, first_day, clerk)


def _carry_commitment(commitment: Commitment, books: FiscalYear, first_day: dt.date, clerk: str) -> None:
    """Move what is not invoiced yet and wholly unpaid invoices to the budget of the new year, with its cover.

    A partly paid invoice stays: its open amount is in the opening balance of the liabilities.
    """
    unpaid = commitment.invoice_set.filter(state__in=[Invoice.State.RECORDED, Invoice.State.APPROVED], paid=0)
    gross_by_invoice = dict(unpaid.select_for_update().values_list("pk", "gross"))
    invoiced = sum(gross_by_invoice.values())
    amount = commitment.open_amount + invoiced
    if not amount:
        return
    number, old = commitment.number, commitment.appropriation
    plan, _ = Appropriation.objects.select_for_update().get_or_create(
        year=books, item_id=old.item_id, defaults={"original": 0, "modified": 0}
    )
    plan.modifications.create(amount=amount, decision=f"Áthozat: {number}", day=first_day, recorded_by=clerk)
    plan.modified += amount
    plan.committed += amount
    plan.save(update_fields=["modified", "committed"])
    books.last_commitment += 1
    books.save(update_fields=["last_commitment"])
    new_commitment = Commitment.objects.create(
        appropriation=plan,
        sequence=books.last_commitment,
        partner_id=commitment.partner_id,
        subject=f"{number}: {commitment.subject}"[:200],
        day=first_day,
        amount=amount,
        invoiced=invoiced,
        recorded_by=commitment.recorded_by,  # who ordered and who countersigned stay the same
        countersigned_by=commitment.countersigned_by,
    )
    Invoice.objects.filter(pk__in=gross_by_invoice).update(commitment=new_commitment)
    commitment.invoiced -= invoiced
    commitment.released += amount
    commitment.save(update_fields=["invoiced", "released"])
    Appropriation.objects.filter(pk=old.pk).update(committed=F("committed") - amount)
