"""Statements: trial balance (főkönyvi kivonat), cash report (pénzforgalmi jelentés), VAT of incoming invoices.

By 4/2013. (I. 11.) Korm. rendelet, on public accounting; the columns here are a small part of those there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from systems.gazd.models import Account, Appropriation, Entry, Invoice, InvoiceLine, Item, Voucher


@dataclass(frozen=True)
class Balance:
    """An account's turnover of a year, in forints."""

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
    """A budget item's plan and the money that moved for it, in forints."""

    item: Item
    original: int
    modified: int
    done: int

    @property
    def percent(self) -> int | None:
        return self.done * 100 // self.modified if self.modified else None


@dataclass(frozen=True)
class Vat:
    """What the invoices of a period have of one rate, in forints."""

    percent: int
    net: int
    vat: int
    deductible: int

    @property
    def kept(self) -> int:
        """VAT that may not be deducted."""
        return self.vat - self.deductible


def vat_summary(first: dt.date, last: dt.date) -> list[Vat]:
    """VAT of posted incoming invoices performed from one day to another, by rate."""
    posted = InvoiceLine.objects.filter(
        invoice__state__in=[Invoice.State.APPROVED, Invoice.State.PAID], invoice__performed__range=(first, last)
    )
    sums = {"n": Sum("net"), "v": Sum("vat"), "d": Sum("vat", filter=Q(deductible=True), default=0)}
    found = posted.order_by("-rate_id").values_list("rate_id").annotate(**sums)
    return [Vat(percent, *map(int, amounts)) for percent, *amounts in found]


def trial_balance(year: int) -> list[Balance]:
    """Accounts with entries in a year; debits and credits have one sum, and so have the balances."""
    of_year = Q(entry__voucher__year=year)
    found = (
        Account.objects.annotate(
            debit=Sum("entry__debit", filter=of_year, default=0), credit=Sum("entry__credit", filter=of_year, default=0)
        )
        .filter(Q(debit__gt=0) | Q(credit__gt=0))
        .order_by("code")
    )
    return [Balance(account, int(account.debit), int(account.credit)) for account in found]


def cash_moved(year: int) -> int:
    """By how much the cash accounts changed in a year, without what they were opened with."""
    moved = Entry.objects.filter(voucher__year=year, account__cash=True).exclude(voucher__kind=Voucher.Kind.OPENING)
    return _balance(moved)


def cash_without_item(year: int) -> int:
    """What of it the cash report cannot tell the item of: vouchers by hand from before they needed one."""
    moved = Entry.objects.filter(voucher__year=year, account__cash=True, item=None)
    return _balance(moved.exclude(voucher__kind=Voucher.Kind.OPENING))


def _balance(entries: QuerySet[Entry]) -> int:
    return int(entries.aggregate(n=Sum("debit", default=0) - Sum("credit", default=0))["n"])


def cash_report(year: int) -> list[Performance]:
    """Budget items of a year with plan and performance: revenues received, expenses paid."""
    moved = Entry.objects.filter(voucher__year=year, account__cash=True).exclude(item=None).order_by()
    sums = {
        item: int(debit - credit)
        for item, debit, credit in moved.values_list("item").annotate(d=Sum("debit"), c=Sum("credit"))
    }
    planned = {a.item_id: a for a in Appropriation.objects.filter(year=year)}
    rows = []
    for item in Item.objects.filter(pk__in={*planned, *sums}).order_by("-side", "code"):
        plan, done = planned.get(item.pk), sums.get(item.pk, 0)
        signed = done if item.side == Item.Side.REVENUE else -done
        rows.append(Performance(item, plan.original if plan else 0, plan.modified if plan else 0, signed))
    return rows
