"""Statements: trial balance (főkönyvi kivonat), cash report (pénzforgalmi jelentés), VAT of incoming invoices.

By 4/2013. (I. 11.) Korm. rendelet on public accounting; the columns here are a small part of the decree's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from systems.gazd.models import Account, Appropriation, Entry, Invoice, InvoiceLine, Item, Voucher


@dataclass(frozen=True)
class Balance:
    """An account's turnover in a year, in forints."""

    account: Account
    debit: int
    credit: int

    @property
    def debit_balance(self) -> int:
        return max(self.debit - self.credit, 0)

    @property
    def credit_balance(self) -> int:
        return max(self.credit - self.debit, 0)


@dataclass(frozen=True)
class Performance:
    """A budget item's plan and `actual`, the money received or paid for it, in forints."""

    item: Item
    original: int
    modified: int
    actual: int

    @property
    def percent(self) -> int | None:
        return self.actual * 100 // self.modified if self.modified else None


@dataclass(frozen=True)
class Vat:
    """Sums of a period's invoices at one rate, in forints."""

    percent: int
    net: int
    vat: int
    deductible: int

    @property
    def nondeductible(self) -> int:
        """VAT that must not be deducted."""
        return self.vat - self.deductible


def vat_summary(first: dt.date, last: dt.date) -> list[Vat]:
    """VAT of posted incoming invoices performed between two days (inclusive), by rate."""
    lines = InvoiceLine.objects.filter(
        invoice__state__in=[Invoice.State.APPROVED, Invoice.State.PAID], invoice__performed__range=(first, last)
    )
    sums = {"n": Sum("net"), "v": Sum("vat"), "d": Sum("vat", filter=Q(deductible=True), default=0)}
    sums_by_rate = lines.order_by("-rate_id").values_list("rate_id").annotate(**sums)
    return [Vat(percent, *map(int, amounts)) for percent, *amounts in sums_by_rate]


def trial_balance(year: int) -> list[Balance]:
    """Accounts with entries in a year; debits and credits have the same sum, and so have the balances."""
    of_year = Q(entry__voucher__year=year)
    accounts = (
        Account.objects.annotate(
            debit=Sum("entry__debit", filter=of_year, default=0), credit=Sum("entry__credit", filter=of_year, default=0)
        )
        .filter(Q(debit__gt=0) | Q(credit__gt=0))
        .order_by("code")
    )
    return [Balance(account, int(account.debit), int(account.credit)) for account in accounts]


def cash_change(year: int) -> int:
    """By how much the cash accounts changed in a year, without their opening."""
    entries = Entry.objects.filter(voucher__year=year, account__cash=True).exclude(voucher__kind=Voucher.Kind.OPENING)
    return _balance(entries)


def cash_without_item(year: int) -> int:
    """The part of this change that has no item: vouchers by hand from before items were required."""
    entries = Entry.objects.filter(voucher__year=year, account__cash=True, item=None)
    return _balance(entries.exclude(voucher__kind=Voucher.Kind.OPENING))


def _balance(entries: QuerySet[Entry]) -> int:
    return int(entries.aggregate(n=Sum("debit", default=0) - Sum("credit", default=0))["n"])


def cash_report(year: int) -> list[Performance]:
    """Budget items of a year with plan and actual amounts: revenues received, expenses paid."""
    entries = Entry.objects.filter(voucher__year=year, account__cash=True).exclude(item=None).order_by()
    sums = {
        item: int(debit - credit)
        for item, debit, credit in entries.values_list("item").annotate(d=Sum("debit"), c=Sum("credit"))
    }
    plans = {a.item_id: a for a in Appropriation.objects.filter(year=year)}
    rows = []
    for item in Item.objects.filter(pk__in={*plans, *sums}).order_by("-side", "code"):
        plan, actual = plans.get(item.pk), sums.get(item.pk, 0)
        amount = actual if item.side == Item.Side.REVENUE else -actual
        rows.append(Performance(item, plan.original if plan else 0, plan.modified if plan else 0, amount))
    return rows
