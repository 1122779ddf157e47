"""Money that comes and goes: payments with the taxes that they settle, reversals, refunds. Each is a further row."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from systems.ado.account import Balance, NotPossible, settled
from systems.ado.interest import Entry
from systems.ado.models import Payment, PaymentPart, StatementLine, Tax, Taxpayer, ledgers, rates
from systems.core import money

UNASSESSED = "hipa"  # only the business tax is paid before anything is assessed: in advance


def receive(payments: Sequence[Payment], tax: Tax | None = None) -> None:
    """Book payments that are not saved yet: for a tax, or by default for the oldest debts whatever their tax.

    NotPossible when one is there already; then nothing is booked.
    """
    references = [payment.reference for payment in payments]
    owners = {payment.taxpayer_id for payment in payments}
    with transaction.atomic():
        Taxpayer.hold(owners)
        earlier = Payment.objects.filter(reverses=None, reference__in=references).order_by("reference")
        # In one statement: what another clerk books between two of them would be counted, but not be seen to stand.
        seen = list(earlier.values_list("reference", "reversal"))
        if known := next((reference for reference, reversal in seen if reversal is None), None):
            raise NotPossible(f"A(z) {known} hivatkozású befizetést már rögzítették.")
        rounds = Counter(reference for reference, _ in seen)
        for payment in payments:
            payment.round = rounds[payment.reference]
        try:
            with transaction.atomic():
                Payment.objects.bulk_create(payments)
        except IntegrityError:
            raise NotPossible("Ezzel a hivatkozással most más is rögzít befizetést. Próbálja újra.") from None
        held, accounts = rates(), ledgers(owners)
        parts = []
        for payment in sorted(payments, key=lambda payment: (payment.day, payment.reference)):
            mine, amount = accounts[payment.taxpayer_id], payment.amount
            by_tax = {tax.code: amount} if tax else settled(mine, held, amount, payment.day) or {UNASSESSED: amount}
            for code, part in by_tax.items():
                mine[code].paid.append(Entry(payment.day, part))
                parts.append(PaymentPart(payment=payment, tax_id=code, amount=part))
        PaymentPart.objects.bulk_create(parts)


def reverse(pk: int, reason: str, by: str) -> Payment:
    """Undo a payment or a refund as of its own day. A bank statement's line is unclear again."""
    with transaction.atomic():
        undone = Payment.objects.get(pk=pk)
        Taxpayer.hold([undone.taxpayer_id])
        if undone.reverses_id:
            raise NotPossible("Stornót nem lehet stornózni.")
        if Payment.objects.filter(reverses=undone).exists():
            raise NotPossible("Ezt a tételt már stornózták.")
        made = Payment.objects.create(
            taxpayer_id=undone.taxpayer_id,
            day=undone.day,
            amount=-undone.amount,
            reference=undone.reference,
            round=undone.round,
            reverses=undone,
            reason=reason,
            recorded_by=by,
        )
        PaymentPart.objects.bulk_create(
            PaymentPart(payment=made, tax_id=part.tax_id, amount=-part.amount) for part in undone.parts.all()
        )
        StatementLine.objects.filter(payment=undone).update(
            payment=None, taxpayer=None, verdict=StatementLine.Verdict.UNKNOWN
        )
    return made


def refund(paid: Payment, tax: Tax) -> None:
    """Book a refund (not saved yet, its amount as it was paid out) of what was overpaid in a tax.

    Only as far as no other tax of theirs is owed; debts elsewhere are not known here.
    """
    with transaction.atomic():
        Taxpayer.hold([paid.taxpayer_id])
        if Payment.objects.filter(reference=paid.reference).exists():
            raise NotPossible(f"A(z) {paid.reference} hivatkozás már szerepel.")
        most = min(_overpaid(paid.taxpayer, tax, day) for day in (paid.day, timezone.localdate()))
        if paid.amount > most:
            raise NotPossible(f"Legfeljebb {money.shown(max(most, 0))} Ft téríthető vissza.")
        paid.amount = -paid.amount
        try:
            with transaction.atomic():
                paid.save()
        except IntegrityError:
            raise NotPossible("Ezzel a hivatkozással most más is rögzít tételt. Próbálja újra.") from None
        PaymentPart.objects.create(payment=paid, tax=tax, amount=paid.amount)


def _overpaid(taxpayer: Taxpayer, tax: Tax, day: dt.date) -> int:
    balances = taxpayer.balances(day)
    return -max(balances.get(tax.code, Balance(day)).owed, sum(balance.owed for balance in balances.values()))
