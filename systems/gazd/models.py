"""Budget, commitments, incoming invoices and the double-entry ledger. Amounts are whole forints.

The database guards what must always hold (migrations/0002_ledger.py): vouchers balance, are numbered without
gaps, never change, and never enter a closed period; nothing is committed beyond the budget.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from systems.core.money import ForintField


class FiscalYear(models.Model):
    """A calendar year of the books. `closed_through`: the last day of the closed period; it only moves forward."""

    year = models.PositiveSmallIntegerField("év", primary_key=True)
    closed_through = models.DateField("lezárva", null=True)
    last_voucher = models.PositiveIntegerField(default=0)
    last_commitment = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "fiscal_year"
        ordering = ["-year"]

    def __str__(self) -> str:
        return str(self.year)

    @property
    def closed(self) -> bool:
        """Whether the whole year is closed for posting."""
        return self.closed_through == dt.date(self.year, 12, 31)


class Account(models.Model):
    """An account (főkönyvi számla). `cash`: it holds money, so its entries are in the cash report."""

    code = models.CharField("számlaszám", max_length=10, primary_key=True)
    name = models.CharField("megnevezés", max_length=200)
    cash = models.BooleanField(default=False)

    class Meta:
        db_table = "account"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Item(models.Model):
    """A budget item (rovat), with the account that its invoices or receipts are posted to.

    `vat_item`: the item of the deductible VAT in its invoices; None where VAT may not be deducted.
    """

    class Side(models.TextChoices):
        EXPENSE = "expense", "kiadás"
        REVENUE = "revenue", "bevétel"

    code = models.CharField("rovat", max_length=10, primary_key=True)
    name = models.CharField("megnevezés", max_length=200)
    side = models.CharField(max_length=7, choices=Side)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    vat_item = models.ForeignKey("self", on_delete=models.PROTECT, null=True)

    class Meta:
        db_table = "item"
        ordering = ["-side", "code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class VatRate(models.Model):
    """A VAT rate of an invoice's line, in whole percent."""

    percent = models.PositiveSmallIntegerField(primary_key=True)
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "vat_rate"
        ordering = ["-percent"]

    def __str__(self) -> str:
        return f"{self.percent} %"


class Appropriation(models.Model):
    """A budget item's amount for one year (előirányzat): as first decided, as modified, and as committed."""

    year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, verbose_name="év")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, verbose_name="rovat")
    original = ForintField("eredeti előirányzat")
    modified = ForintField("módosított előirányzat")
    committed = ForintField("kötelezettségvállalással terhelt", default=0)

    class Meta:
        db_table = "appropriation"
        ordering = ["-item__side", "item"]
        constraints = [
            models.UniqueConstraint(name="item_once_a_year", fields=["year", "item"]),
            models.CheckConstraint(
                name="within_the_budget",
                condition=Q(original__gte=0, committed__gte=0, committed__lte=F("modified")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} ({self.year_id})"

    @property
    def free(self) -> int:
        return self.modified - self.committed


class Modification(models.Model):
    """A change of an appropriation by a decision of the council. Rows are only ever added."""

    appropriation = models.ForeignKey(Appropriation, on_delete=models.PROTECT, related_name="modifications")
    amount = ForintField("változás")
    decision = models.CharField("határozat száma", max_length=60)
    day = models.DateField("határozat napja")
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(default=timezone.now)
    token = models.UUIDField(unique=True, default=uuid.uuid4)

    class Meta:
        db_table = "modification"
        ordering = ["-day", "-id"]


class Partner(models.Model):
    name = models.CharField("név", max_length=200)
    tax_number = models.CharField("adószám", max_length=20, unique=True)
    address = models.CharField("cím", max_length=300)
    bank_account = models.CharField("bankszámlaszám", max_length=40, blank=True)

    class Meta:
        db_table = "partner"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.tax_number})"


class Commitment(models.Model):
    """An order (kötelezettségvállalás): takes its amount from the free budget until invoiced or released.

    It can be invoiced only when another clerk has countersigned it (pénzügyi ellenjegyzés).
    """

    appropriation = models.ForeignKey(Appropriation, on_delete=models.PROTECT, verbose_name="előirányzat")
    sequence = models.PositiveIntegerField()
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, verbose_name="partner")
    subject = models.CharField("tárgy", max_length=200)
    day = models.DateField("nap")
    amount = ForintField("összeg")
    invoiced = ForintField("számlázva", default=0)
    released = ForintField("felszabadítva", default=0)
    recorded_by = models.CharField(max_length=120)
    countersigned_by = models.CharField(max_length=60, blank=True)
    token = models.UUIDField(unique=True, default=uuid.uuid4)

    class Meta:
        db_table = "commitment"
        ordering = ["-appropriation__year", "-sequence"]
        constraints = [
            models.CheckConstraint(
                name="within_the_commitment",
                condition=Q(amount__gt=0, invoiced__gte=0, released__gte=0, amount__gte=F("invoiced") + F("released")),
            ),
            models.CheckConstraint(name="countersigned_by_another", condition=~Q(countersigned_by=F("recorded_by"))),
        ]

    @property
    def number(self) -> str:
        return f"KV/{self.appropriation.year_id}/{self.sequence}"

    @property
    def open_amount(self) -> int:
        return self.amount - self.invoiced - self.released

    def __str__(self) -> str:
        return f"{self.number} {self.subject}"


class Voucher(models.Model):
    """A posted voucher (bizonylat). The database sets `number`; `total`: of its debits, and equally of its credits."""

    class Kind(models.TextChoices):
        OPENING = "opening", "nyitás"
        INVOICE = "invoice", "bejövő számla"
        PAYMENT = "payment", "kifizetés"
        RECEIPT = "receipt", "bevétel"
        OTHER = "other", "vegyes"
        REVERSAL = "reversal", "storno"

    year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT)
    number = models.PositiveIntegerField(default=0)
    kind = models.CharField("fajta", max_length=8, choices=Kind)
    day = models.DateField("könyvelés napja")
    text = models.CharField("szöveg", max_length=200)
    total = ForintField("összeg")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversal")
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(default=timezone.now)
    token = models.UUIDField(unique=True, default=uuid.uuid4)

    class Meta:
        db_table = "voucher"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(name="number_once_a_year", fields=["year", "number"]),
            models.CheckConstraint(name="total_positive", condition=Q(total__gt=0)),
        ]

    @property
    def label(self) -> str:
        return f"B/{self.year_id}/{self.number}"


class Entry(models.Model):
    """One side of a voucher: a debit (tartozik) or a credit (követel). `item`: what the money was for."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, verbose_name="számla")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True)
    debit = ForintField("tartozik", default=0)
    credit = ForintField("követel", default=0)

    class Meta:
        db_table = "entry"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="one_side", condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0))
        ]


class Invoice(models.Model):
    """An incoming invoice: recorded, validated (érvényesítés, with the proof of performance), approved (utalványozás)
    and posted, then paid, whole or in parts. Who must not be the same: 368/2011. (XII. 31.) Korm. rendelet 60. § (not
    compared with the source); and who recorded it must not approve it.

    Only those imported from earlier books have no commitment. `paid`: the sum of its payments that are not reversed.
    """

    class State(models.TextChoices):
        RECORDED = "recorded", "jóváhagyásra vár"
        APPROVED = "approved", "fizetésre vár"
        PAID = "paid", "kifizetve"
        REJECTED = "rejected", "visszautasítva"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, verbose_name="partner")
    number = models.CharField("számla száma", max_length=60)
    commitment = models.ForeignKey(
        Commitment, on_delete=models.PROTECT, null=True, verbose_name="kötelezettségvállalás"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT)
    issued = models.DateField("kelte")
    performed = models.DateField("teljesítés")
    due = models.DateField("fizetési határidő")
    gross = ForintField("bruttó")
    paid = ForintField("kifizetve", default=0)
    state = models.CharField(max_length=8, choices=State, default=State.RECORDED)
    recorded_by = models.CharField(max_length=60)
    validated_by = models.CharField(max_length=60, blank=True)
    decided_by = models.CharField(max_length=60, blank=True)
    posted = models.ForeignKey(Voucher, on_delete=models.PROTECT, null=True, related_name="invoices")

    class Meta:
        db_table = "invoice"
        ordering = ["due", "id"]
        constraints = [
            models.UniqueConstraint(
                name="number_once_a_partner", fields=["partner", "number"], condition=~Q(state="rejected")
            ),
            models.CheckConstraint(name="gross_positive", condition=Q(gross__gt=0)),
            models.CheckConstraint(name="four_eyes", condition=~Q(decided_by=F("recorded_by"))),
            models.CheckConstraint(
                name="validated_by_another", condition=Q(validated_by="") | ~Q(validated_by=F("decided_by"))
            ),
            models.CheckConstraint(
                name="posted_when_approved",
                condition=Q(state="paid", posted__isnull=False, paid=F("gross"))
                | Q(state="approved", posted__isnull=False, paid__gte=0, paid__lt=F("gross"))
                | Q(state="recorded", posted=None, paid=0, decided_by="")
                | Q(state="rejected", paid=0),
            ),
        ]

    @property
    def open_amount(self) -> int:
        """What remains to be paid."""
        return self.gross - self.paid

    @property
    def deductible(self) -> int:
        """How much of it is deductible VAT."""
        return sum(line.vat for line in self.lines.all() if line.deductible)


class InvoicePayment(models.Model):
    """A payment of an invoice or of a part of it. It does not count when its voucher was reversed.

    `vat`: how much of it is deductible VAT.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    voucher = models.OneToOneField(Voucher, on_delete=models.PROTECT, related_name="paid_invoice")
    amount = ForintField("összeg")
    vat = ForintField(default=0)

    class Meta:
        db_table = "invoice_payment"
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="payment_above_zero", condition=Q(amount__gt=0))]


class InvoiceLine(models.Model):
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField("megnevezés", max_length=200)
    net = ForintField("nettó")
    rate = models.ForeignKey(VatRate, on_delete=models.PROTECT, verbose_name="áfakulcs")
    vat = ForintField("áfa")
    deductible = models.BooleanField("levonható áfa", default=False)

    class Meta:
        db_table = "invoice_line"
        ordering = ["id"]
