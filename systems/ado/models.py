"""Taxpayers, what they owe by assessment, and what they have paid. Amounts are whole forints."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from systems.ado.account import Balance, Ledger
from systems.ado.interest import Entry, Rate
from systems.core.money import ForintField
from systems.shared import identifiers


def known_identifier(value: str) -> None:
    try:
        identifiers.identifier(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Tax(models.Model):
    """A local tax with the municipality's own terms; numbers have a source and are assumed until a decree sets them."""

    code = models.CharField("kód", max_length=20, primary_key=True)
    name = models.CharField("adónem", max_length=120)
    per_mille = models.PositiveIntegerField("mérték ezrelékben")
    source = models.CharField("forrás", max_length=200)
    status = models.CharField(max_length=10, default="assumed")
    year_offset = models.PositiveSmallIntegerField(default=1)  # the due days' year, counted from the tax year
    by_decision = models.BooleanField(default=False)  # the office assesses it; else the taxpayer does, by a return
    notice_days = models.PositiveSmallIntegerField(default=15)  # between the office's decision and the earliest due day
    due_source = models.CharField("forrás", max_length=200, default="")
    due_status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "tax"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DueDay(models.Model):
    """A day on which a part of a tax is due, or the next working day; `share`: of the whole, in hundredths."""

    tax = models.ForeignKey(Tax, on_delete=models.CASCADE, related_name="due_days")
    month = models.PositiveSmallIntegerField()
    day = models.PositiveSmallIntegerField()
    share = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "due_day"
        ordering = ["month", "day"]


class InterestRate(models.Model):
    """The yearly rate of late interest from a day on, in hundredths of a percent."""

    since = models.DateField(primary_key=True)
    basis_points = models.PositiveIntegerField()
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "interest_rate"
        ordering = ["since"]

    @property
    def percent(self) -> str:
        """`5,25`: as people write it."""
        return f"{self.basis_points // 100},{self.basis_points % 100:02d}"


class Taxpayer(models.Model):
    """A person or firm that owes local tax, identified by tax identification sign or tax number."""

    identifier = models.CharField("adóazonosító", max_length=20, unique=True, validators=[known_identifier])
    name = models.CharField("név", max_length=200)
    address = models.CharField("cím", max_length=300)

    class Meta:
        db_table = "taxpayer"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.identifier})"

    @classmethod
    def hold(cls, keys: Collection[int]) -> None:
        """Lock these accounts until the transaction ends; in order of their keys, so that no two deadlock."""
        list(cls.objects.select_for_update().filter(pk__in=keys).order_by("pk"))

    def balances(self, day: dt.date | None = None) -> dict[str, Balance]:
        """Balances on a day (default: today) by tax's code, with late interest."""
        return balances(day, [self.pk]).get(self.pk, {})

    def balance(self, day: dt.date | None = None) -> Balance:
        """The balance of all taxes together."""
        return sum(self.balances(day).values(), Balance(day or timezone.localdate()))


class Return(models.Model):
    """A tax return, from a citizen's form or entered by a clerk; it becomes an assessment when a clerk accepts it."""

    class State(models.TextChoices):
        OPEN = "open", "elbírálásra vár"
        ACCEPTED = "accepted", "elfogadva"
        REJECTED = "rejected", "elutasítva"

    submission = models.UUIDField(unique=True, null=True)
    number = models.CharField("iktatószám", max_length=40, blank=True)
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT)
    identifier = models.CharField("adóazonosító", max_length=20)
    name = models.CharField("adózó neve", max_length=200)
    address = models.CharField("cím", max_length=300)
    year = models.PositiveSmallIntegerField("adóév")
    base = ForintField("adóalap")
    applicant = models.CharField("beküldte", max_length=200, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField("indok", max_length=1000, blank=True)

    class Meta:
        db_table = "tax_return"
        ordering = ["received_at", "id"]
        constraints = [
            models.CheckConstraint(name="base_not_negative", condition=models.Q(base__gte=0)),
            models.CheckConstraint(
                name="decided_when_decided",
                condition=models.Q(state="open", decided_at=None)
                | ~models.Q(state="open") & ~models.Q(decided_at=None),
            ),
        ]


class Assessment(models.Model):
    """A tax of one year: base × rate. One for each taxpayer, tax and year, unless a correction replaces it.

    A correction has the whole new tax as its amount, and the difference as its instalments.
    """

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="assessments")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT)
    year = models.PositiveSmallIntegerField("adóév")
    base = ForintField("adóalap")
    per_mille = models.PositiveIntegerField("mérték ezrelékben")
    amount = ForintField("adó")
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=120)
    of_return = models.OneToOneField(Return, on_delete=models.PROTECT, null=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    reason = models.CharField("indok", max_length=300, blank=True)

    @property
    def kind(self) -> str:
        if not self.replaces_id:
            return "kivetés"
        return "önellenőrzés" if self.of_return_id else "helyesbítés"

    class Meta:
        db_table = "assessment"
        ordering = ["-year", "tax"]
        constraints = [
            models.UniqueConstraint(
                name="one_a_year", fields=["taxpayer", "tax", "year"], condition=models.Q(replaces=None)
            ),
            models.CheckConstraint(name="amount_not_negative", condition=models.Q(amount__gte=0, base__gte=0)),
        ]


class Instalment(models.Model):
    """A part of an assessment with its due day; the parts sum up to the whole, of a correction to the difference."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="instalments")
    due = models.DateField("esedékesség")
    amount = ForintField("összeg")

    class Meta:
        db_table = "instalment"
        ordering = ["due", "id"]
        constraints = [models.UniqueConstraint(name="instalment_once", fields=["assessment", "due"])]


class Payment(models.Model):
    """Money received, or paid back (negative, with a reason). Rows never change; a reversal cancels one.

    `reference`: the bank's own, so that a statement read twice counts once; a reversed payment may come again, in
    the next `round`.
    """

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="payments")
    day = models.DateField("értéknap")
    amount = ForintField("összeg")
    reference = models.CharField("banki hivatkozás", max_length=60)
    round = models.PositiveSmallIntegerField(default=0)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversal")
    reason = models.CharField("indok", max_length=300, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.CharField(max_length=120)

    class Meta:
        db_table = "payment"
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="payment_once", fields=["reference", "round"], condition=models.Q(reverses=None)
            ),
            models.CheckConstraint(
                name="payment_reasoned",
                condition=models.Q(amount__gt=0, reverses=None) | ~models.Q(amount=0) & ~models.Q(reason=""),
            ),
        ]

    @property
    def kind(self) -> str:
        if self.reverses_id:
            return "storno"
        return "befizetés" if self.amount > 0 else "visszatérítés"

    @classmethod
    def standing(cls) -> models.QuerySet[Payment]:
        """Payments that are neither reversed nor reversals."""
        return cls.objects.filter(reverses=None, reversal=None)


class PaymentPart(models.Model):
    """The part of a payment that belongs to one tax; the parts sum up to the payment."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="parts")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT)
    amount = ForintField("összeg")

    class Meta:
        db_table = "payment_part"
        ordering = ["tax"]
        constraints = [models.UniqueConstraint(name="part_once", fields=["payment", "tax"])]


def rates() -> list[Rate]:
    """Late interest's yearly rates, in order of days."""
    return [Rate(rate.since, rate.basis_points) for rate in InterestRate.objects.all()]


def ledgers(taxpayers: Collection[int] | None = None) -> dict[int, dict[str, Ledger]]:
    """Entries by taxpayer's key and tax's code, of some taxpayers (their keys) or of all, in two queries."""
    charges = Instalment.objects.values_list("assessment__taxpayer", "assessment__tax", "due", "amount")
    payments = PaymentPart.objects.values_list("payment__taxpayer", "tax", "payment__day", "amount")
    if taxpayers is not None:
        charges, payments = (
            charges.filter(assessment__taxpayer__in=taxpayers),
            payments.filter(payment__taxpayer__in=taxpayers),
        )
    accounts: dict[int, dict[str, Ledger]] = defaultdict(lambda: defaultdict(Ledger))
    for taxpayer, tax, day, amount in charges.order_by():
        accounts[taxpayer][tax].charges.append(Entry(day, amount))
    for taxpayer, tax, day, amount in payments.order_by():
        accounts[taxpayer][tax].payments.append(Entry(day, amount))
    return accounts


def balances(day: dt.date | None = None, taxpayers: Collection[int] | None = None) -> dict[int, dict[str, Balance]]:
    """Balances on a day (default: today) by taxpayer and tax's code, of some or all taxpayers (three queries)."""
    day, yearly_rates = day or timezone.localdate(), rates()
    return {
        taxpayer: {tax: ledger.balance(yearly_rates, day) for tax, ledger in taxes.items()}
        for taxpayer, taxes in ledgers(taxpayers).items()
    }


class Statement(models.Model):
    """A bank statement's file: saved when it is read, booked when a clerk has looked at the verdicts."""

    name = models.CharField("fájl", max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.CharField(max_length=120)
    booked_at = models.DateTimeField(null=True)
    booked_by = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "statement"
        ordering = ["-uploaded_at"]


class StatementLine(models.Model):
    """One transfer. An unknown one of a booked statement stays open until it is assigned or sent back."""

    class Verdict(models.TextChoices):
        RECOGNISED = "known", "adózóhoz rendelve"
        UNKNOWN = "unknown", "tisztázatlan"
        REPEATED = "repeated", "már szerepel"
        OUTGOING = "outgoing", "terhelés"

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    row = models.PositiveIntegerField()
    day = models.DateField("értéknap")
    amount = ForintField("összeg")
    reference = models.CharField("hivatkozás", max_length=60)
    payer = models.CharField("befizető", max_length=200, blank=True)
    remittance = models.CharField("közlemény", max_length=500, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict)
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, null=True)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, null=True)
    returned_on = models.DateField("visszautalva", null=True)
    note = models.CharField("megjegyzés", max_length=300, blank=True)

    class Meta:
        db_table = "statement_line"
        ordering = ["statement", "row"]
        constraints = [
            models.UniqueConstraint(name="line_once", fields=["statement", "row"]),
            models.UniqueConstraint(
                name="transfer_once", fields=["reference"], condition=models.Q(verdict__in=["known", "unknown"])
            ),
            models.CheckConstraint(
                name="paid_or_returned", condition=models.Q(payment=None) | models.Q(returned_on=None)
            ),
        ]

    @classmethod
    def unclear(cls) -> models.QuerySet[StatementLine]:
        """Transfers of booked statements whose taxpayer is not known yet."""
        open_ones = cls.objects.filter(verdict=cls.Verdict.UNKNOWN, payment=None, returned_on=None)
        return open_ones.exclude(statement__booked_at=None).order_by("day", "id")
