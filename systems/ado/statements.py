"""Bank statements: a file of incoming transfers is read whole, each line is matched to a taxpayer and booked once.

Format (docs/systems.md): CSV with semicolons in UTF-8 or Windows-1250, its columns as in COLUMNS.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from systems.ado import payments
from systems.ado.models import Payment, Statement, StatementLine, Tax, Taxpayer
from systems.core import money
from systems.core.errors import NotPossible
from systems.shared import identifiers
from systems.shared.bodies import STATEMENT

COLUMNS = ["értéknap", "összeg", "hivatkozás", "befizető", "közlemény"]
MOST_LINES = 20_000
MOST_FAULTS = 20  # faults of a file that are reported
DAY = re.compile(r"(\d{4})[-.] ?(\d{1,2})[-.] ?(\d{1,2})\.?")
# Ten or eleven digits in a row of their own: a tax identification sign or a tax number, with or without hyphens.
CANDIDATE = re.compile(r"(?<!\d)(?:8\d{9}|\d{8}-?\d-?\d{2})(?!\d)")


class StatementFault(Exception):
    """The file or the operation is refused; `lines` says why in Hungarian. Nothing was written."""

    def __init__(self, *lines: str):
        super().__init__("; ".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Row:
    """One transfer of a file."""

    number: int
    day: dt.date
    amount: int
    reference: str
    payer: str
    remittance: str


def read(content: bytes) -> list[Row]:
    """Rows of a file; StatementFault with every wrong line if there is one."""
    if len(content) > STATEMENT:
        raise StatementFault(f"A fájl {len(content) // 1024} KiB; legfeljebb {STATEMENT // 1024} KiB lehet.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1250", errors="replace")
    lines = list(csv.reader(io.StringIO(text), delimiter=";"))
    heading = [column.strip().lower() for column in lines[0]] if lines else []
    if heading != COLUMNS:
        raise StatementFault(
            f"Az első sor legyen: {';'.join(COLUMNS)}. A fájlban: {';'.join(heading)[:100] or 'semmi'}."
        )
    rows, faults, first_rows = [], [], {}
    for number, fields in enumerate(lines[1:], start=2):
        if not any(field.strip() for field in fields):
            continue
        try:
            row = _row(number, fields)
        except ValueError as fault:
            faults.append(f"{number}. sor: {fault}")
            continue
        if row.reference in first_rows:
            faults.append(
                f"{number}. sor: a(z) {row.reference} hivatkozás a(z) {first_rows[row.reference]}. sorban már szerepel."
            )
        first_rows.setdefault(row.reference, number)
        rows.append(row)
    if not rows and not faults:
        faults.append("A fájlban nincs egyetlen tétel sem.")
    if len(rows) > MOST_LINES:
        faults.append(f"A fájlban {len(rows)} tétel van; legfeljebb {MOST_LINES} lehet.")
    if faults:
        more = [f"és még {len(faults) - MOST_FAULTS} hiba"] if len(faults) > MOST_FAULTS else []
        raise StatementFault(*faults[:MOST_FAULTS], *more)
    return rows


def _row(number: int, fields: Sequence[str]) -> Row:
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} mező van benne, {len(COLUMNS)} kell.")
    day, amount, reference, payer, remittance = (field.strip() for field in fields)
    if not reference or len(reference) > 60:
        raise ValueError("a hivatkozás hiányzik, vagy hosszabb 60 karakternél.")
    return Row(number, _day(day), _amount(amount), reference, payer[:200], remittance[:500])


def _day(text: str) -> dt.date:
    match = DAY.fullmatch(text)
    try:
        day = dt.date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"az értéknap {text!r}; így kell: 2026-01-31.")
    if day > timezone.localdate():
        raise ValueError(f"az értéknap ({text}) a jövőben van.")
    return day


def _amount(text: str) -> int:
    try:
        amount = money.parse(re.sub(r",0{1,2}$", "", text))
    except ValueError as fault:
        raise ValueError(f"az összeg {text!r}. {fault}") from None
    if not amount:
        raise ValueError("az összeg nulla.")
    return amount


def recognise(rows: Sequence[Row]) -> Iterator[tuple[Row, str, Taxpayer | None]]:
    """(row, verdict, taxpayer) as of now, by the identifier in the remittance or beside the payer."""
    by_identifier = {taxpayer.identifier: taxpayer for taxpayer in Taxpayer.objects.all()}
    references = [row.reference for row in rows]
    booked_references = set(Payment.standing().filter(reference__in=references).values_list("reference", flat=True))
    earlier = StatementLine.objects.filter(reference__in=references)
    booked_references |= set(
        earlier.exclude(verdict=StatementLine.Verdict.REPEATED).values_list("reference", flat=True)
    )
    for row in rows:
        taxpayers = {
            by_identifier[identifier]
            for identifier in _identifiers(f"{row.remittance} {row.payer}")
            if identifier in by_identifier
        }
        if row.amount < 0:
            yield row, StatementLine.Verdict.OUTGOING, None
        elif row.reference in booked_references:
            yield row, StatementLine.Verdict.REPEATED, None
        elif len(taxpayers) == 1:
            yield row, StatementLine.Verdict.RECOGNISED, taxpayers.pop()
        else:
            yield row, StatementLine.Verdict.UNKNOWN, None


def _identifiers(text: str) -> Iterator[str]:
    for candidate in CANDIDATE.findall(text):
        try:
            yield identifiers.identifier(candidate)
        except ValueError:
            continue  # these digits are something else


def take(content: bytes, name: str, by: str) -> Statement:
    """Save a file's lines with their verdicts without booking; StatementFault when it is wrong or a repeat."""
    rows = read(content)
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        with transaction.atomic():
            statement = Statement.objects.create(name=name[:200], sha256=sha256, uploaded_by=by)
            StatementLine.objects.bulk_create(
                StatementLine(
                    statement=statement,
                    row=row.number,
                    day=row.day,
                    amount=row.amount,
                    reference=row.reference,
                    payer=row.payer,
                    remittance=row.remittance,
                    verdict=verdict,
                    taxpayer=taxpayer,
                )
                for row, verdict, taxpayer in recognise(rows)
            )
    except IntegrityError:
        earlier = Statement.objects.filter(sha256=sha256).first()
        if earlier:
            moment = timezone.localtime(earlier.uploaded_at)
            raise StatementFault(
                f"Ezt a kivonatot már feltöltötték ({moment:%Y. %m. %d. %H:%M}, {earlier.uploaded_by})."
            ) from None
        raise StatementFault("Ugyanezeket a tételeket most tölti fel más is. Próbálja újra.") from None
    return statement


def book(pk: int, by: str) -> tuple[int, int]:
    """Book a statement's recognised lines once; returns their number and sum. Unknown ones stay open."""
    with transaction.atomic():
        statement = Statement.objects.select_for_update().get(pk=pk)
        if statement.booked_at:
            raise StatementFault("Ezt a kivonatot már lekönyvelték.")
        lines = list(statement.lines.filter(verdict=StatementLine.Verdict.RECOGNISED).select_related("taxpayer"))
        _pay(lines, by)
        statement.booked_at, statement.booked_by = timezone.now(), by
        statement.save(update_fields=["booked_at", "booked_by"])
    return len(lines), sum(line.amount for line in lines)


def drop(pk: int) -> None:
    """Delete a statement that was not booked."""
    with transaction.atomic():
        statement = Statement.objects.select_for_update().get(pk=pk)
        if statement.booked_at:
            raise StatementFault("A lekönyvelt kivonat nem törölhető.")
        statement.delete()


def assign(pk: int, taxpayer: Taxpayer, by: str, tax: Tax | None = None) -> StatementLine:
    """Book an unknown line for a taxpayer: for a tax, or by default for the oldest debts."""
    with transaction.atomic():
        line = _open(pk)
        line.taxpayer = taxpayer
        _pay([line], by, tax)
    return line


def send_back(pk: int, day: dt.date, note: str) -> StatementLine:
    """Record that an unknown line's money was sent back."""
    with transaction.atomic():
        line = _open(pk)
        line.returned_on, line.note = day, note
        line.save(update_fields=["returned_on", "note"])
    return line


def _open(pk: int) -> StatementLine:
    line = StatementLine.objects.select_for_update(of=("self",)).select_related("statement").get(pk=pk)
    if not line.statement.booked_at:
        raise StatementFault("A kivonat még nincs lekönyvelve.")
    if line.verdict != StatementLine.Verdict.UNKNOWN or line.payment_id or line.returned_on:
        raise StatementFault("Ez a tétel már nem tisztázatlan.")
    return line


def _pay(lines: Sequence[StatementLine], by: str, tax: Tax | None = None) -> None:
    for line in lines:
        line.payment = Payment(
            taxpayer=line.taxpayer, day=line.day, amount=line.amount, reference=line.reference, recorded_by=by
        )
    try:
        payments.receive([line.payment for line in lines], tax)
    except NotPossible as fault:
        raise StatementFault(str(fault)) from fault
    StatementLine.objects.bulk_update(lines, ["taxpayer", "payment"], batch_size=1000)
