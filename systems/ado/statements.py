"""Bank statements: a file of incoming transfers is read whole, each line is recognised by who paid, and booked once.

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
from systems.ado.account import NotPossible
from systems.ado.models import Payment, Statement, StatementLine, Tax, Taxpayer
from systems.core import money
from systems.shared import identifiers

COLUMNS = ["értéknap", "összeg", "hivatkozás", "befizető", "közlemény"]
LARGEST = 2 * 2**20  # bytes of a file
MOST_LINES = 20_000
SHOWN = 20  # faults of a file that are told
DAY = re.compile(r"(\d{4})[-.] ?(\d{1,2})[-.] ?(\d{1,2})\.?")
# Ten or eleven digits that are nobody else's: a tax identification sign or a tax number, however it is divided.
CANDIDATE = re.compile(r"(?<!\d)(?:8\d{9}|\d{8}-?\d-?\d{2})(?!\d)")


class StatementFault(Exception):
    """The file or the deed is refused; `lines` says in Hungarian why. Nothing was written."""

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
    """Rows of a file; StatementFault with every wrong line otherwise."""
    if len(content) > LARGEST:
        raise StatementFault(f"A fájl {len(content) // 1024} KiB; legfeljebb {LARGEST // 1024} KiB lehet.")
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
    rows, faults, seen = [], [], {}
    for number, fields in enumerate(lines[1:], start=2):
        if not any(field.strip() for field in fields):
            continue
        try:
            row = _row(number, fields)
        except ValueError as fault:
            faults.append(f"{number}. sor: {fault}")
            continue
        if row.reference in seen:
            faults.append(
                f"{number}. sor: a(z) {row.reference} hivatkozás a(z) {seen[row.reference]}. sorban már szerepel."
            )
        seen.setdefault(row.reference, number)
        rows.append(row)
    if not rows and not faults:
        faults.append("A fájlban nincs egyetlen tétel sem.")
    if len(rows) > MOST_LINES:
        faults.append(f"A fájlban {len(rows)} tétel van; legfeljebb {MOST_LINES} lehet.")
    if faults:
        more = [f"és még {len(faults) - SHOWN} hiba"] if len(faults) > SHOWN else []
        raise StatementFault(*faults[:SHOWN], *more)
    return rows


def _row(number: int, fields: Sequence[str]) -> Row:
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} mező van benne, {len(COLUMNS)} kell.")
    day, amount, reference, payer, remittance = (field.strip() for field in fields)
    if not reference or len(reference) > 60:
        raise ValueError("a hivatkozás hiányzik, vagy hosszabb 60 karakternél.")
    return Row(number, _day(day), _amount(amount), reference, payer[:200], remittance[:500])


def _day(text: str) -> dt.date:
    found = DAY.fullmatch(text)
    try:
        day = dt.date(*(int(part) for part in found.groups())) if found else None
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


def recognised(rows: Sequence[Row]) -> Iterator[tuple[Row, str, Taxpayer | None]]:
    """(row, verdict, taxpayer) as things stand now: whose identifier stands in the remittance or beside the payer."""
    known = {taxpayer.identifier: taxpayer for taxpayer in Taxpayer.objects.all()}
    references = [row.reference for row in rows]
    booked = set(Payment.standing().filter(reference__in=references).values_list("reference", flat=True))
    earlier = StatementLine.objects.filter(reference__in=references)
    booked |= set(earlier.exclude(verdict=StatementLine.Verdict.REPEATED).values_list("reference", flat=True))
    for row in rows:
        taxpayers = {known[each] for each in _identifiers(f"{row.remittance} {row.payer}") if each in known}
        if row.amount < 0:
            yield row, StatementLine.Verdict.OUTGOING, None
        elif row.reference in booked:
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
            continue  # digits that are something else


def take(content: bytes, name: str, by: str) -> Statement:
    """Keep a file's lines with their verdicts, nothing booked; StatementFault when it is wrong or was here before."""
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
                for row, verdict, taxpayer in recognised(rows)
            )
    except IntegrityError:
        earlier = Statement.objects.filter(sha256=sha256).first()
        if earlier:
            when = timezone.localtime(earlier.uploaded_at)
            raise StatementFault(
                f"Ezt a kivonatot már feltöltötték ({when:%Y. %m. %d. %H:%M}, {earlier.uploaded_by})."
            ) from None
        raise StatementFault("Ugyanezeket a tételeket most tölti fel más is. Próbálja újra.") from None
    return statement


def book(pk: int, by: str) -> tuple[int, int]:
    """Book a statement's recognised lines, once; how many, and their sum. Unknown ones wait to be cleared up."""
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
    """Forget a statement that was not booked."""
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
    """Note that an unknown line's money went back to its sender."""
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
