"""Money in and out: payments with the taxes that they settle, reversals, refunds. Each is a new row."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from systems.ado.account import Balance, split_payment
from systems.ado.interest import Entry
from systems.ado.models import Payment, PaymentPart, StatementLine, Tax, Taxpayer, ledgers, rates
from systems.core import money
from systems.core.errors import NotPossible

UNASSESSED = "hipa"  # only the business tax is paid in advance, before anything is assessed


def receive(payments: Sequence[Payment], tax: Tax | None = None) -> None:
    """Book unsaved payments: for one tax, or by default for the oldest debts of any tax.

    NotPossible when one is booked already; then nothing is booked.
    """
    references = [payment.reference for payment in payments]
    owners = {payment.taxpayer_id for payment in payments}
    with transaction.atomic():
        Taxpayer.hold(owners)
        earlier = Payment.objects.filter(reverses=None, reference__in=references).order_by("reference")
        # In one query: between two, another clerk's payment would be counted but not recognised as in force.
        rows = list(earlier.values_list("reference", "reversal"))
        if duplicate := next((reference for reference, reversal in rows if reversal is None), None):
            raise NotPossible(f"A(z) {duplicate} hivatkozású befizetést már rögzítették.")
        rounds = Counter(reference for reference, _ in rows)
        for payment in payments:
            payment.round = rounds[payment.reference]
        try:
            with transaction.atomic():
                Payment.objects.bulk_create(payments)
        except IntegrityError:
            raise NotPossible("Ezzel a hivatkozással most más is rögzít befizetést. Próbálja újra.") from None
        yearly_rates, accounts = rates(), ledgers(owners)
        parts = []
        for payment in sorted(payments, key=lambda payment: (payment.day, payment.reference)):
            account, amount = accounts[payment.taxpayer_id], payment.amount
            by_tax = (
                {tax.code: amount}
                if tax
                else split_payment(account, yearly_rates, amount, payment.day) or {UNASSESSED: amount}
            )
            for code, part in by_tax.items():
                account[code].payments.append(Entry(payment.day, part))
                parts.append(PaymentPart(payment=payment, tax_id=code, amount=part))
        PaymentPart.objects.bulk_create(parts)


def reverse(pk: int, reason: str, by: str) -> Payment:
    """Reverse a payment or a refund as of its own day. A bank statement's line becomes unclear again."""
    with transaction.atomic():
        original = Payment.objects.get(pk=pk)
        Taxpayer.hold([original.taxpayer_id])
        if original.reverses_id:
            raise NotPossible("Stornót nem lehet stornózni.")
        if Payment.objects.filter(reverses=original).exists():
            raise NotPossible("Ezt a tételt már stornózták.")
        reversal = Payment.objects.create(
            taxpayer_id=original.taxpayer_id,
            day=original.day,
            amount=-original.amount,
            reference=original.reference,
            round=original.round,
            reverses=original,
            reason=reason,
            recorded_by=by,
        )
        PaymentPart.objects.bulk_create(
            PaymentPart(payment=reversal, tax_id=part.tax_id, amount=-part.amount) for part in original.parts.all()
        )
        StatementLine.objects.filter(payment=original).update(
            payment=None, taxpayer=None, verdict=StatementLine.Verdict.UNKNOWN
        )
    return reversal


def refund(payment: Payment, tax: Tax) -> None:
    """Book an unsaved refund (with its positive amount) of what was overpaid in a tax.

    Only as far as the taxpayer owes no other local tax; debts elsewhere are not known here.
    """
    with transaction.atomic():
        Taxpayer.hold([payment.taxpayer_id])
        if Payment.objects.filter(reference=payment.reference).exists():
            raise NotPossible(f"A(z) {payment.reference} hivatkozás már szerepel.")
        limit = min(_overpaid(payment.taxpayer, tax, day) for day in (payment.day, timezone.localdate()))
        if payment.amount > limit:
            raise NotPossible(f"Legfeljebb {money.to_text(max(limit, 0))} Ft téríthető vissza.")
        payment.amount = -payment.amount
        try:
            with transaction.atomic():
                payment.save()
        except IntegrityError:
            raise NotPossible("Ezzel a hivatkozással most más is rögzít tételt. Próbálja újra.") from None
        PaymentPart.objects.create(payment=payment, tax=tax, amount=payment.amount)


def _overpaid(taxpayer: Taxpayer, tax: Tax, day: dt.date) -> int:
    balances = taxpayer.balances(day)
    return -max(balances.get(tax.code, Balance(day)).owed, sum(balance.owed for balance in balances.values()))
