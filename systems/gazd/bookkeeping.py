"""Operations on the books: every function is one transaction that succeeds as a whole, or raises NotPossible."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from systems.core import money
from systems.core.errors import NotPossible
from systems.gazd.models import (
    Account,
    Appropriation,
    Commitment,
    Entry,
    FiscalYear,
    Invoice,
    InvoiceLine,
    InvoicePayment,
    Item,
    Partner,
    VatRate,
    Voucher,
)

LIABILITIES = "42"
BANK, CASH_DESK = "33", "32"
PARTNER_TWICE = "Ezzel az adószámmal már van partner."


@dataclass(frozen=True)
class Line:
    """One side of a voucher to be posted; exactly one of `debit` and `credit` is above zero."""

    account: str
    debit: int = 0
    credit: int = 0
    item: str | None = None


def vat_of(net: int, percent: int) -> int:
    """Value added tax of a net amount, in whole forints."""
    return money.round_to_forint(Fraction(net * percent, 100))


@contextmanager
def _explain_refusals(**by_constraint: str) -> Iterator[None]:
    """One transaction; NotPossible with the message of the constraint that the database reports as violated."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        for name, text in by_constraint.items():
            if name in str(error):
                raise NotPossible(text) from error
        raise


def post(
    kind: str,
    day: dt.date,
    text: str,
    lines: Sequence[Line],
    clerk: str,
    *,
    reverses: Voucher | None = None,
    token: uuid.UUID | None = None,
) -> Voucher:
    """Post a voucher, once for each `token`. `clerk`: username."""
    debit, credit = sum(line.debit for line in lines), sum(line.credit for line in lines)
    if debit != credit:
        raise NotPossible(
            f"A bizonylat nem egyezik: tartozik {money.to_text(debit)}, követel {money.to_text(credit)} Ft."
        )
    if not debit:
        raise NotPossible("A bizonylaton nincs összeg.")
    if kind == Voucher.Kind.OTHER:
        _check_cash_items(lines)
    if not FiscalYear.objects.filter(pk=day.year).exists():
        raise NotPossible(f"A(z) {day.year}. év nincs megnyitva.")
    with _explain_refusals(
        closed="A könyvelés napja lezárt időszakra esik.",
        token="Ezt a bizonylatot már lekönyvelték.",
        reverses_id="Ezt a bizonylatot már stornózták.",
    ):
        voucher = Voucher.objects.create(
            year_id=day.year,
            kind=kind,
            day=day,
            text=text,
            total=debit,
            recorded_by=clerk,
            reverses=reverses,
            token=token or uuid.uuid4(),
        )
        Entry.objects.bulk_create(
            Entry(voucher=voucher, account_id=line.account, item_id=line.item, debit=line.debit, credit=line.credit)
            for line in lines
        )
        voucher.refresh_from_db(fields=["number"])
    return voucher


def _check_cash_items(lines: Sequence[Line]) -> None:
    """Require an item for cash movements: the cash report is by item. Transfers between cash accounts need none."""
    cash = set(Account.objects.filter(cash=True).values_list("pk", flat=True))
    amount = sum(line.debit - line.credit for line in lines if line.account in cash and not line.item)
    if amount:
        raise NotPossible(
            f"A pénzeszközök tételeinek adja meg a rovatát: e nélkül {money.to_text(abs(amount))} Ft "
            "kimaradna a pénzforgalmi jelentésből."
        )


def appropriate(year: FiscalYear, item: Item, amount: int) -> Appropriation:
    """Set the original budget of an item, added to what was carried over from the year before, if any."""
    with _explain_refusals(item_once_a_year=f"A(z) {item.code} rovatnak már van {year.year}. évi előirányzata."):
        carried_over = Appropriation.objects.select_for_update().filter(
            year=year, item=item, original=0, modified__gt=0
        )
        if existing := carried_over.first():
            existing.original = amount
            existing.modified += amount
            existing.save(update_fields=["original", "modified"])
            return existing
        return Appropriation.objects.create(year=year, item=item, original=amount, modified=amount)


def modify(pk: int, amount: int, decision: str, day: dt.date, clerk: str, token: uuid.UUID | None = None) -> None:
    """Change an appropriation by a decision, never below the committed amount."""
    with _explain_refusals(
        within_the_budget="A módosítás után kevesebb maradna, mint amennyi le van kötve.",
        token="Ezt a módosítást már rögzítették.",
    ):
        appropriation = Appropriation.objects.select_for_update().get(pk=pk)
        appropriation.modifications.create(
            amount=amount, decision=decision, day=day, recorded_by=clerk, token=token or uuid.uuid4()
        )
        appropriation.modified += amount
        appropriation.save(update_fields=["modified"])


def commit(
    appropriation: Appropriation,
    partner: Partner,
    subject: str,
    day: dt.date,
    amount: int,
    clerk: str,
    token: uuid.UUID | None = None,
) -> Commitment:
    """Commit an amount of the free budget to an order."""
    if appropriation.item.side != Item.Side.EXPENSE:
        raise NotPossible("Kötelezettséget csak kiadási előirányzatra lehet vállalni.")
    if day.year != appropriation.year_id:
        raise NotPossible(f"A kötelezettségvállalás napja {appropriation.year_id}. évi legyen.")
    with _explain_refusals(token="Ezt a kötelezettségvállalást már rögzítették."):
        budget = Appropriation.objects.select_for_update().get(pk=appropriation.pk)
        if amount > budget.free:
            raise NotPossible(f"A szabad előirányzat {money.to_text(budget.free)} Ft, ennél több nem köthető le.")
        budget.committed += amount
        budget.save(update_fields=["committed"])
        books = FiscalYear.objects.select_for_update().get(pk=budget.year_id)
        if books.closed:
            raise NotPossible(f"A(z) {books}. év le van zárva.")
        books.last_commitment += 1
        books.save(update_fields=["last_commitment"])
        return Commitment.objects.create(
            appropriation=budget,
            sequence=books.last_commitment,
            partner=partner,
            subject=subject,
            day=day,
            amount=amount,
            recorded_by=clerk,
            token=token or uuid.uuid4(),
        )


def add_partner(partner: Partner) -> None:
    """Save a new partner. The form checks first; this refuses the second of two sent at once."""
    with _explain_refusals(tax_number=PARTNER_TWICE):
        partner.save(force_insert=True)


def countersign(pk: int, clerk: str) -> None:
    """Countersign an order financially; not by who placed it. `clerk`: username."""
    with transaction.atomic():
        commitment = Commitment.objects.select_for_update().get(pk=pk)
        if commitment.countersigned_by:
            raise NotPossible("Ezt a kötelezettségvállalást már ellenjegyezték.")
        if commitment.recorded_by == clerk:
            raise NotPossible("Aki a kötelezettséget vállalta, nem ellenjegyezheti.")
        commitment.countersigned_by = clerk
        commitment.save(update_fields=["countersigned_by"])


def release(pk: int) -> int:
    """Return the open amount of a commitment to the free budget; returns that amount."""
    with transaction.atomic():
        commitment = Commitment.objects.select_for_update().get(pk=pk)
        remainder = commitment.open_amount
        commitment.released += remainder
        commitment.save(update_fields=["released"])
        Appropriation.objects.filter(pk=commitment.appropriation_id).update(committed=F("committed") - remainder)
    return remainder


def record_invoice(
    commitment: Commitment,
    number: str,
    days: tuple[dt.date, dt.date, dt.date],
    lines: Sequence[tuple[str, int, VatRate, bool]],
    clerk: str,
) -> Invoice:
    """Record an invoice on a commitment. `clerk`: username.

    `days`: issued, performed, due; a line: text, net, rate, whether its VAT may be deducted.
    """
    parts = [
        InvoiceLine(text=text, net=net, rate=rate, vat=vat_of(net, rate.percent), deductible=deductible)
        for text, net, rate, deductible in lines
    ]
    gross, vat = sum(part.net + part.vat for part in parts), sum(part.vat for part in parts if part.deductible)
    item = commitment.appropriation.item
    if gross <= 0:
        raise NotPossible("A számla végösszege nagyobb legyen nullánál.")
    if not 0 <= vat <= gross:
        raise NotPossible("A levonható áfa nem lehet negatív, és nem lehet több a számla végösszegénél.")
    if vat and not item.vat_item_id:
        raise NotPossible(f"A(z) {item.code} rovaton nem vonható le áfa.")
    with _explain_refusals(number_once_a_partner="Ennek a partnernek ez a számlája már rögzítve van."):
        order = Commitment.objects.select_for_update(of=("self",)).select_related("appropriation").get(pk=commitment.pk)
        if not order.countersigned_by:
            raise NotPossible("A kötelezettségvállalás még nincs ellenjegyezve.")
        if gross > order.open_amount:
            raise NotPossible(
                f"A kötelezettségvállalásból {money.to_text(order.open_amount)} Ft maradt, "
                f"a számla {money.to_text(gross)} Ft."
            )
        order.invoiced += gross
        order.save(update_fields=["invoiced"])
        issued, performed, due = days
        invoice = Invoice.objects.create(
            partner_id=order.partner_id,
            number=number,
            commitment=order,
            item_id=order.appropriation.item_id,
            issued=issued,
            performed=performed,
            due=due,
            gross=gross,
            recorded_by=clerk,
        )
        for part in parts:
            part.invoice = invoice
        InvoiceLine.objects.bulk_create(parts)
    return invoice


def _invoice(pk: int, state: str) -> Invoice:
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("partner", "item__vat_item").get(pk=pk)
    if invoice.state != state:
        raise NotPossible(f"A(z) {invoice.number} számla állapota: {invoice.get_state_display()}.")
    return invoice


def _require_another_clerk(invoice: Invoice, clerk: str) -> None:
    if invoice.recorded_by == clerk:
        raise NotPossible("A számlát másnak kell elbírálnia, mint aki rögzítette.")


def validate(pk: int, clerk: str) -> None:
    """Confirm that an invoice is correct and performed (érvényesítés); not by who ordered. `clerk`: username."""
    with transaction.atomic():
        invoice = _invoice(pk, Invoice.State.RECORDED)
        if invoice.validated_by:
            raise NotPossible("Ezt a számlát már érvényesítették.")
        if Commitment.objects.get(pk=invoice.commitment_id).recorded_by == clerk:
            raise NotPossible("Aki a kötelezettséget vállalta, nem érvényesítheti a számláját.")
        invoice.validated_by = clerk
        invoice.save(update_fields=["validated_by"])


def approve(pk: int, day: dt.date, clerk: str) -> Voucher:
    """Approve a validated invoice and post it as a liability; not by who recorded or validated. `clerk`: username."""
    with transaction.atomic():
        invoice = _invoice(pk, Invoice.State.RECORDED)
        _require_another_clerk(invoice, clerk)
        if not invoice.validated_by:
            raise NotPossible("A számlát előbb érvényesíteni kell.")
        if invoice.validated_by == clerk:
            raise NotPossible("Aki a számlát érvényesítette, nem utalványozhatja.")
        vat = invoice.deductible
        lines = [Line(LIABILITIES, credit=invoice.gross)]
        if invoice.gross > vat:
            lines.insert(0, Line(invoice.item.account_id, debit=invoice.gross - vat))
        if vat:
            lines.insert(1, Line(invoice.item.vat_item.account_id, debit=vat))
        text = f"{invoice.partner.name}: {invoice.number}"[:200]
        invoice.posted = post(Voucher.Kind.INVOICE, day, text, lines, clerk)
        invoice.state, invoice.decided_by = Invoice.State.APPROVED, clerk
        invoice.save()
        return invoice.posted


def reject(pk: int, clerk: str) -> None:
    """Reject a recorded invoice; its commitment regains the amount."""
    with transaction.atomic():
        invoice = _invoice(pk, Invoice.State.RECORDED)
        _require_another_clerk(invoice, clerk)
        invoice.state, invoice.decided_by = Invoice.State.REJECTED, clerk
        invoice.save()
        _back_to_commitment(invoice)


def _back_to_commitment(invoice: Invoice) -> None:
    Commitment.objects.filter(pk=invoice.commitment_id).update(invoiced=F("invoiced") - invoice.gross)


def pay(pks: Sequence[int], day: dt.date, money_account: str, clerk: str) -> list[Voucher]:
    """Pay the open amounts of approved invoices from the bank or the cash desk: all of them or none."""
    _from_cash(money_account)
    with transaction.atomic():
        return [_pay(pk, None, day, money_account, clerk) for pk in sorted(set(pks))]


def pay_part(pk: int, amount: int, day: dt.date, money_account: str, clerk: str) -> Voucher:
    """Pay a part of an approved invoice, or its whole open amount."""
    _from_cash(money_account)
    with transaction.atomic():
        return _pay(pk, amount, day, money_account, clerk)


def _from_cash(money_account: str) -> None:
    if not Account.objects.filter(pk=money_account, cash=True).exists():
        raise NotPossible("Fizetni pénztárból vagy bankszámláról lehet.")


def _pay(pk: int, amount: int | None, day: dt.date, money_account: str, clerk: str) -> Voucher:
    """`amount`: None for the whole open amount."""
    invoice = _invoice(pk, Invoice.State.APPROVED)
    amount = invoice.open_amount if amount is None else amount
    if not 0 < amount <= invoice.open_amount:
        raise NotPossible(
            f"A számlából {money.to_text(invoice.open_amount)} Ft van hátra; {money.to_text(amount)} Ft nem fizethető."
        )
    vat = _vat_within(invoice, amount)
    lines = [Line(LIABILITIES, debit=amount)]
    if amount > vat:
        lines.append(Line(money_account, credit=amount - vat, item=invoice.item_id))
    if vat:
        lines.append(Line(money_account, credit=vat, item=invoice.item.vat_item_id))
    part = "részkifizetése" if amount < invoice.open_amount else "kifizetése"
    text = f"{invoice.partner.name}: {invoice.number} {part}"[:200]
    voucher = post(Voucher.Kind.PAYMENT, day, text, lines, clerk)
    InvoicePayment.objects.create(invoice=invoice, voucher=voucher, amount=amount, vat=vat)
    invoice.paid += amount
    invoice.state = Invoice.State.APPROVED if invoice.open_amount else Invoice.State.PAID
    invoice.save()
    return voucher


def _vat_within(invoice: Invoice, amount: int) -> int:
    """How much of a payment is deductible VAT: in proportion, and with the last part exactly what remains."""
    earlier = invoice.payments.filter(voucher__reversal=None).aggregate(n=Sum("vat", default=0))["n"]
    target = invoice.deductible * (invoice.paid + amount) // invoice.gross
    return min(max(target - int(earlier), 0), amount)


def receive(
    item: Item, amount: int, day: dt.date, money_account: str, text: str, clerk: str, token: uuid.UUID | None = None
) -> Voucher:
    """Post money received for a revenue item."""
    if item.side != Item.Side.REVENUE:
        raise NotPossible("Bevételt bevételi rovatra lehet könyvelni.")
    lines = [Line(money_account, debit=amount, item=item.pk), Line(item.account_id, credit=amount)]
    return post(Voucher.Kind.RECEIPT, day, text, lines, clerk, token=token)


def reverse(pk: int, day: dt.date, clerk: str) -> Voucher:
    """Post the opposite of a voucher (storno); its invoice goes back one step."""
    with transaction.atomic():
        voucher = Voucher.objects.get(pk=pk)
        if voucher.kind in (Voucher.Kind.REVERSAL, Voucher.Kind.OPENING):
            raise NotPossible("Storno és nyitó bizonylatot nem lehet stornózni.")
        lines = [
            Line(entry.account_id, debit=entry.credit, credit=entry.debit, item=entry.item_id)
            for entry in voucher.entries.all()
        ]
        invoice = Invoice.objects.select_for_update().filter(posted=voucher).first()
        payment = InvoicePayment.objects.filter(voucher=voucher).first()
        paid_invoice = Invoice.objects.select_for_update().get(pk=payment.invoice_id) if payment else None
        if invoice and invoice.paid:
            raise NotPossible("A számlára már fizettek; előbb a kifizetést kell stornózni.")
        reversal = post(Voucher.Kind.REVERSAL, day, f"Storno: {voucher.label}", lines, clerk, reverses=voucher)
        if invoice:
            invoice.state = Invoice.State.REJECTED
            invoice.save()
            _back_to_commitment(invoice)
        if paid_invoice:
            paid_invoice.state = Invoice.State.APPROVED
            paid_invoice.paid -= payment.amount
            paid_invoice.save()
    return reversal
