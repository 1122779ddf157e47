"""What happens to the books: every function is one transaction that is done whole, or says in Hungarian why not."""

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


class NotPossible(Exception):
    """The books do not take it; the Hungarian message says why."""


@dataclass(frozen=True)
class Line:
    """A side of a voucher to be posted; exactly one of `debit` and `credit` is above zero."""

    account: str
    debit: int = 0
    credit: int = 0
    item: str | None = None


def vat_of(net: int, percent: int) -> int:
    """Value added tax of a net amount, in whole forints."""
    return money.rounded(Fraction(net * percent, 100))


@contextmanager
def _saying(**by_constraint: str) -> Iterator[None]:
    """One transaction; what the database refuses becomes a message."""
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
    """Post a voucher; one with the same `token` is posted once. `clerk`: username."""
    debit, credit = sum(line.debit for line in lines), sum(line.credit for line in lines)
    if debit != credit:
        raise NotPossible(f"A bizonylat nem egyezik: tartozik {money.shown(debit)}, követel {money.shown(credit)} Ft.")
    if not debit:
        raise NotPossible("A bizonylaton nincs összeg.")
    if kind == Voucher.Kind.OTHER:
        _reported(lines)
    if not FiscalYear.objects.filter(pk=day.year).exists():
        raise NotPossible(f"A(z) {day.year}. év nincs megnyitva.")
    with _saying(
        closed="A könyvelés napja lezárt időszakra esik.",
        token="Ezt a bizonylatot már lekönyvelték.",
        reverses_id="Ezt a bizonylatot már stornózták.",
    ):
        made = Voucher.objects.create(
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
            Entry(voucher=made, account_id=line.account, item_id=line.item, debit=line.debit, credit=line.credit)
            for line in lines
        )
        made.refresh_from_db(fields=["number"])
    return made


def _reported(lines: Sequence[Line]) -> None:
    """What moves on cash accounts is in the cash report, by its item; only moving it from one to another needs none."""
    cash = set(Account.objects.filter(cash=True).values_list("pk", flat=True))
    moved = sum(line.debit - line.credit for line in lines if line.account in cash and not line.item)
    if moved:
        raise NotPossible(
            f"A pénzeszközök tételeinek adja meg a rovatát: e nélkül {money.shown(abs(moved))} Ft "
            "kimaradna a pénzforgalmi jelentésből."
        )


def appropriate(year: FiscalYear, item: Item, amount: int) -> Appropriation:
    """The original budget of an item; one that has only what was carried from the year before gets it added."""
    with _saying(item_once_a_year=f"A(z) {item.code} rovatnak már van {year.year}. évi előirányzata."):
        carried = Appropriation.objects.select_for_update().filter(year=year, item=item, original=0, modified__gt=0)
        if found := carried.first():
            found.original = amount
            found.modified += amount
            found.save(update_fields=["original", "modified"])
            return found
        return Appropriation.objects.create(year=year, item=item, original=amount, modified=amount)


def modify(pk: int, amount: int, decision: str, day: dt.date, clerk: str, token: uuid.UUID | None = None) -> None:
    """Change an appropriation by a decision; never below what is committed."""
    with _saying(
        within_the_budget="A módosítás után kevesebb maradna, mint amennyi le van kötve.",
        token="Ezt a módosítást már rögzítették.",
    ):
        changed = Appropriation.objects.select_for_update().get(pk=pk)
        changed.modifications.create(
            amount=amount, decision=decision, day=day, recorded_by=clerk, token=token or uuid.uuid4()
        )
        changed.modified += amount
        changed.save(update_fields=["modified"])


def commit(
    appropriation: Appropriation,
    partner: Partner,
    subject: str,
    day: dt.date,
    amount: int,
    clerk: str,
    token: uuid.UUID | None = None,
) -> Commitment:
    """Take an amount of the free budget for an order."""
    if appropriation.item.side != Item.Side.EXPENSE:
        raise NotPossible("Kötelezettséget csak kiadási előirányzatra lehet vállalni.")
    if day.year != appropriation.year_id:
        raise NotPossible(f"A kötelezettségvállalás napja {appropriation.year_id}. évi legyen.")
    with _saying(token="Ezt a kötelezettségvállalást már rögzítették."):
        held = Appropriation.objects.select_for_update().get(pk=appropriation.pk)
        if amount > held.free:
            raise NotPossible(f"A szabad előirányzat {money.shown(held.free)} Ft, ennél több nem köthető le.")
        held.committed += amount
        held.save(update_fields=["committed"])
        books = FiscalYear.objects.select_for_update().get(pk=held.year_id)
        if books.closed:
            raise NotPossible(f"A(z) {books}. év le van zárva.")
        books.last_commitment += 1
        books.save(update_fields=["last_commitment"])
        return Commitment.objects.create(
            appropriation=held,
            sequence=books.last_commitment,
            partner=partner,
            subject=subject,
            day=day,
            amount=amount,
            recorded_by=clerk,
            token=token or uuid.uuid4(),
        )


def add_partner(partner: Partner) -> None:
    """A new partner. The form asks before; two sent at once are told apart here."""
    with _saying(tax_number=PARTNER_TWICE):
        partner.save(force_insert=True)


def countersign(pk: int, clerk: str) -> None:
    """The financial countersignature of an order, by another than who ordered. `clerk`: username."""
    with transaction.atomic():
        held = Commitment.objects.select_for_update().get(pk=pk)
        if held.countersigned_by:
            raise NotPossible("Ezt a kötelezettségvállalást már ellenjegyezték.")
        if held.recorded_by == clerk:
            raise NotPossible("Aki a kötelezettséget vállalta, nem ellenjegyezheti.")
        held.countersigned_by = clerk
        held.save(update_fields=["countersigned_by"])


def release(pk: int) -> int:
    """Give what is left of a commitment back to the free budget; how much that was."""
    with transaction.atomic():
        held = Commitment.objects.select_for_update().get(pk=pk)
        left = held.left
        held.released += left
        held.save(update_fields=["released"])
        Appropriation.objects.filter(pk=held.appropriation_id).update(committed=F("committed") - left)
    return left


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
    with _saying(number_once_a_partner="Ennek a partnernek ez a számlája már rögzítve van."):
        held = Commitment.objects.select_for_update(of=("self",)).select_related("appropriation").get(pk=commitment.pk)
        if not held.countersigned_by:
            raise NotPossible("A kötelezettségvállalás még nincs ellenjegyezve.")
        if gross > held.left:
            raise NotPossible(
                f"A kötelezettségvállalásból {money.shown(held.left)} Ft maradt, a számla {money.shown(gross)} Ft."
            )
        held.invoiced += gross
        held.save(update_fields=["invoiced"])
        issued, performed, due = days
        made = Invoice.objects.create(
            partner_id=held.partner_id,
            number=number,
            commitment=held,
            item_id=held.appropriation.item_id,
            issued=issued,
            performed=performed,
            due=due,
            gross=gross,
            recorded_by=clerk,
        )
        for part in parts:
            part.invoice = made
        InvoiceLine.objects.bulk_create(parts)
    return made


def _invoice(pk: int, state: str) -> Invoice:
    found = Invoice.objects.select_for_update(of=("self",)).select_related("partner", "item__vat_item").get(pk=pk)
    if found.state != state:
        raise NotPossible(f"A(z) {found.number} számla állapota: {found.get_state_display()}.")
    return found


def _by_another(invoice: Invoice, clerk: str) -> None:
    if invoice.recorded_by == clerk:
        raise NotPossible("A számlát másnak kell elbírálnia, mint aki rögzítette.")


def validate(pk: int, clerk: str) -> None:
    """Say that a recorded invoice is right and was performed (érvényesítés); not by who ordered. `clerk`: username."""
    with transaction.atomic():
        found = _invoice(pk, Invoice.State.RECORDED)
        if found.validated_by:
            raise NotPossible("Ezt a számlát már érvényesítették.")
        if Commitment.objects.get(pk=found.commitment_id).recorded_by == clerk:
            raise NotPossible("Aki a kötelezettséget vállalta, nem érvényesítheti a számláját.")
        found.validated_by = clerk
        found.save(update_fields=["validated_by"])


def approve(pk: int, day: dt.date, clerk: str) -> Voucher:
    """Approve a validated invoice and post it as a liability; not by who recorded or validated. `clerk`: username."""
    with transaction.atomic():
        found = _invoice(pk, Invoice.State.RECORDED)
        _by_another(found, clerk)
        if not found.validated_by:
            raise NotPossible("A számlát előbb érvényesíteni kell.")
        if found.validated_by == clerk:
            raise NotPossible("Aki a számlát érvényesítette, nem utalványozhatja.")
        vat = found.deductible
        lines = [Line(LIABILITIES, credit=found.gross)]
        if found.gross > vat:
            lines.insert(0, Line(found.item.account_id, debit=found.gross - vat))
        if vat:
            lines.insert(1, Line(found.item.vat_item.account_id, debit=vat))
        text = f"{found.partner.name}: {found.number}"[:200]
        found.posted = post(Voucher.Kind.INVOICE, day, text, lines, clerk)
        found.state, found.decided_by = Invoice.State.APPROVED, clerk
        found.save()
        return found.posted


def reject(pk: int, clerk: str) -> None:
    """Send a recorded invoice back; its commitment has the amount again."""
    with transaction.atomic():
        found = _invoice(pk, Invoice.State.RECORDED)
        _by_another(found, clerk)
        found.state, found.decided_by = Invoice.State.REJECTED, clerk
        found.save()
        _back_to_commitment(found)


def _back_to_commitment(invoice: Invoice) -> None:
    Commitment.objects.filter(pk=invoice.commitment_id).update(invoiced=F("invoiced") - invoice.gross)


def pay(pks: Sequence[int], day: dt.date, money_account: str, clerk: str) -> list[Voucher]:
    """Pay what is left of approved invoices from the bank or the cash desk: all of them or none."""
    _from_cash(money_account)
    with transaction.atomic():
        return [_pay(pk, None, day, money_account, clerk) for pk in sorted(set(pks))]


def pay_part(pk: int, amount: int, day: dt.date, money_account: str, clerk: str) -> Voucher:
    """Pay a part of an approved invoice, or all that is left of it."""
    _from_cash(money_account)
    with transaction.atomic():
        return _pay(pk, amount, day, money_account, clerk)


def _from_cash(money_account: str) -> None:
    if not Account.objects.filter(pk=money_account, cash=True).exists():
        raise NotPossible("Fizetni pénztárból vagy bankszámláról lehet.")


def _pay(pk: int, amount: int | None, day: dt.date, money_account: str, clerk: str) -> Voucher:
    """`amount`: None for all that is left."""
    found = _invoice(pk, Invoice.State.APPROVED)
    amount = found.left if amount is None else amount
    if not 0 < amount <= found.left:
        raise NotPossible(
            f"A számlából {money.shown(found.left)} Ft van hátra; {money.shown(amount)} Ft nem fizethető."
        )
    vat = _vat_within(found, amount)
    lines = [Line(LIABILITIES, debit=amount)]
    if amount > vat:
        lines.append(Line(money_account, credit=amount - vat, item=found.item_id))
    if vat:
        lines.append(Line(money_account, credit=vat, item=found.item.vat_item_id))
    part = "részkifizetése" if amount < found.left else "kifizetése"
    text = f"{found.partner.name}: {found.number} {part}"[:200]
    voucher = post(Voucher.Kind.PAYMENT, day, text, lines, clerk)
    InvoicePayment.objects.create(invoice=found, voucher=voucher, amount=amount, vat=vat)
    found.paid += amount
    found.state = Invoice.State.APPROVED if found.left else Invoice.State.PAID
    found.save()
    return voucher


def _vat_within(invoice: Invoice, amount: int) -> int:
    """How much of a payment pays VAT that may be deducted: in proportion, and with the last part exactly all of it."""
    standing = invoice.payments.filter(voucher__reversal=None).aggregate(n=Sum("vat", default=0))["n"]
    target = invoice.deductible * (invoice.paid + amount) // invoice.gross
    return min(max(target - int(standing), 0), amount)


def receive(
    item: Item, amount: int, day: dt.date, money_account: str, text: str, clerk: str, token: uuid.UUID | None = None
) -> Voucher:
    """Money that came in for a revenue item."""
    if item.side != Item.Side.REVENUE:
        raise NotPossible("Bevételt bevételi rovatra lehet könyvelni.")
    lines = [Line(money_account, debit=amount, item=item.pk), Line(item.account_id, credit=amount)]
    return post(Voucher.Kind.RECEIPT, day, text, lines, clerk, token=token)


def reverse(pk: int, day: dt.date, clerk: str) -> Voucher:
    """Post the opposite of a voucher (storno); the invoice behind it goes one step back."""
    with transaction.atomic():
        wrong = Voucher.objects.get(pk=pk)
        if wrong.kind in (Voucher.Kind.REVERSAL, Voucher.Kind.OPENING):
            raise NotPossible("Storno és nyitó bizonylatot nem lehet stornózni.")
        lines = [
            Line(entry.account_id, debit=entry.credit, credit=entry.debit, item=entry.item_id)
            for entry in wrong.entries.all()
        ]
        behind = Invoice.objects.select_for_update().filter(posted=wrong).first()
        payment = InvoicePayment.objects.filter(voucher=wrong).first()
        paid = Invoice.objects.select_for_update().get(pk=payment.invoice_id) if payment else None
        if behind and behind.paid:
            raise NotPossible("A számlára már fizettek; előbb a kifizetést kell stornózni.")
        made = post(Voucher.Kind.REVERSAL, day, f"Storno: {wrong.shown}", lines, clerk, reverses=wrong)
        if behind:
            behind.state = Invoice.State.REJECTED
            behind.save()
            _back_to_commitment(behind)
        if paid:
            paid.state = Invoice.State.APPROVED
            paid.paid -= payment.amount
            paid.save()
    return made
