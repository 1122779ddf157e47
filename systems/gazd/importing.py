"""Import of an earlier system's books: accounts, partners, the opening of the ledger, unpaid invoices.

All opening rows are of one day and make one voucher, so its two sides must agree; the sum of the unpaid invoices
must be the opening balance of the liabilities. Amounts are whole forints, days ISO.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from django.db import transaction

from systems.core.money import LARGEST
from systems.exchange.importing import Report, Rows
from systems.gazd import bookkeeping, years
from systems.gazd.bookkeeping import BANK, CASH_DESK, LIABILITIES, Line
from systems.gazd.models import Account, FiscalYear, Invoice, Item, Partner, Voucher
from systems.shared import identifiers

ACCOUNTS, PARTNERS, OPENING, OPEN_ITEMS = "szamlak.csv", "partnerek.csv", "nyito.csv", "nyitott_tetelek.csv"
FILES = {
    ACCOUNTS: ("szamlaszam", "megnevezes"),
    PARTNERS: ("adoszam", "nev", "cim", "bankszamla"),
    OPENING: ("nap", "szamlaszam", "tartozik", "kovetel"),
    OPEN_ITEMS: ("adoszam", "szamla", "rovat", "kelte", "hatarido", "brutto"),
}
CLERK = "Migráció"


def _amount(text: str) -> int | None:
    """Whole forints without sign or spaces; an empty text is 0; None for anything else."""
    if not re.fullmatch(r"[0-9]{0,16}", text, re.ASCII):
        return None
    amount = int(text or 0)
    return amount if amount <= LARGEST else None


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _tax_number(text: str) -> str | None:
    try:
        return identifiers.identifier(text)
    except ValueError:
        return None


def check(files: Mapping[str, Rows]) -> Report:
    """Every row can be imported, the opening voucher balances, and the open items equal the ledger's liabilities."""
    report = Report()
    accounts = _check_accounts(files, report)
    partners = _check_partners(files, report)
    owed = _check_opening(files, report, accounts)
    items = _check_open_items(files, report, partners)
    if owed != items:
        report.fault(OPEN_ITEMS, 1, "brutto", str(items), f"a {LIABILITIES} számla nyitó egyenlege: {owed}")
    return report


def _check_text(
    report: Report, file: str, number: int, row: Mapping[str, str], column: str, longest: int = 200
) -> None:
    if not 0 < len(row[column].strip()) <= longest:
        report.fault(file, number, column, row[column], f"1–{longest} betű")


def _check_accounts(files: Mapping[str, Rows], report: Report) -> set[str]:
    codes = set(Account.objects.values_list("pk", flat=True))
    for number, row in enumerate(files.get(ACCOUNTS, []), 2):
        code = row["szamlaszam"]
        if not re.fullmatch(r"[0-9]{1,10}", code, re.ASCII):
            report.fault(ACCOUNTS, number, "szamlaszam", code, "legfeljebb 10 számjegy")
        elif code in codes:
            report.fault(ACCOUNTS, number, "szamlaszam", code, "olyan, amely még nincs")
        codes.add(code)
        _check_text(report, ACCOUNTS, number, row, "megnevezes")
    return codes


def _check_partners(files: Mapping[str, Rows], report: Report) -> set[str]:
    tax_numbers = set(Partner.objects.values_list("tax_number", flat=True))
    for number, row in enumerate(files.get(PARTNERS, []), 2):
        tax_number = _tax_number(row["adoszam"])
        if tax_number is None:
            report.fault(PARTNERS, number, "adoszam", row["adoszam"], "helyes ellenőrző számú adószám")
        elif tax_number in tax_numbers:
            report.fault(PARTNERS, number, "adoszam", row["adoszam"], "olyan, amely még nincs")
        else:
            tax_numbers.add(tax_number)
        _check_text(report, PARTNERS, number, row, "nev")
        _check_text(report, PARTNERS, number, row, "cim", 300)
        if len(row["bankszamla"]) > 40:
            report.fault(PARTNERS, number, "bankszamla", row["bankszamla"], "legfeljebb 40 jel")
    return tax_numbers


def _check_opening(files: Mapping[str, Rows], report: Report, accounts: set[str]) -> int:
    """The liabilities to suppliers in the opening, in forints."""
    days, debit, credit, owed = set(), 0, 0, 0
    for number, row in enumerate(files.get(OPENING, []), 2):
        day, sides = _day(row["nap"]), (_amount(row["tartozik"]), _amount(row["kovetel"]))
        if day is None:
            report.fault(OPENING, number, "nap", row["nap"], "nap, például 2026-01-01")
        else:
            days.add(day)
        if row["szamlaszam"] not in accounts:
            report.fault(OPENING, number, "szamlaszam", row["szamlaszam"], f"a számlatükörben vagy {ACCOUNTS} fájlban")
        if None in sides or bool(sides[0]) == bool(sides[1]):
            text = f"{row['tartozik']} / {row['kovetel']}"
            report.fault(OPENING, number, "tartozik", text, "vagy tartozik, vagy követel egész forint")
            continue
        debit, credit = debit + sides[0], credit + sides[1]
        if row["szamlaszam"] == LIABILITIES:
            owed += sides[1] - sides[0]
    if len(days) > 1:
        report.fault(OPENING, 1, "nap", ", ".join(sorted(map(str, days))), "egyetlen nap")
    if debit != credit:
        report.fault(OPENING, 1, "kovetel", str(credit), f"annyi, mint a tartozik: {debit}")
    for day in days:
        books = FiscalYear.objects.filter(pk=day.year).first()
        if books and books.closed_through and books.closed_through >= day:
            report.fault(OPENING, 1, "nap", str(day), f"{books.closed_through} utáni nap: addig le van zárva")
        if Voucher.objects.filter(year=day.year, kind=Voucher.Kind.OPENING).exists():
            report.fault(OPENING, 1, "nap", str(day), "olyan év, amelynek még nincs nyitása")
        if FiscalYear.objects.exclude(pk=day.year).exists():
            report.fault(OPENING, 1, "nap", str(day), "az egyetlen év, amelynek itt könyvei vannak")
    report.totals |= {"nyitó tartozik": debit, "nyitó követel": credit}
    return owed


def _check_open_items(files: Mapping[str, Rows], report: Report, partners: set[str]) -> int:
    """The sum of the unpaid invoices, in forints."""
    items, total = set(Item.objects.filter(side=Item.Side.EXPENSE).values_list("pk", flat=True)), 0
    invoices = set(Invoice.objects.exclude(state="rejected").values_list("partner__tax_number", "number"))
    rows = files.get(OPEN_ITEMS, [])
    if rows and not files.get(OPENING):
        report.fault(OPEN_ITEMS, 1, "", OPEN_ITEMS, f"{OPENING} is: a nyitott tételek a nyitó bizonylaton állnak")
    for number, row in enumerate(rows, 2):
        tax_number, amount = _tax_number(row["adoszam"]), _amount(row["brutto"])
        if tax_number not in partners:
            report.fault(OPEN_ITEMS, number, "adoszam", row["adoszam"], "felvett partner adószáma")
        if (tax_number, row["szamla"]) in invoices:
            report.fault(OPEN_ITEMS, number, "szamla", row["szamla"], "olyan, amely még nincs ennél a partnernél")
        invoices.add((tax_number, row["szamla"]))
        _check_text(report, OPEN_ITEMS, number, row, "szamla", 60)
        if row["rovat"] not in items:
            report.fault(OPEN_ITEMS, number, "rovat", row["rovat"], f"ezek egyike: {', '.join(sorted(items))}")
        for column in ("kelte", "hatarido"):
            if _day(row[column]) is None:
                report.fault(OPEN_ITEMS, number, column, row[column], "nap, például 2026-01-01")
        if not amount:
            report.fault(OPEN_ITEMS, number, "brutto", row["brutto"], "egész forint nulla fölött")
        total += amount or 0
    report.totals["nyitott tételek"] = total
    return total


def apply(files: Mapping[str, Rows]) -> None:
    """Write everything, after a check without faults."""
    with transaction.atomic():
        Account.objects.bulk_create(
            Account(
                code=row["szamlaszam"],
                name=row["megnevezes"].strip(),
                cash=row["szamlaszam"].startswith((BANK, CASH_DESK)),
            )
            for row in files.get(ACCOUNTS, [])
        )
        Partner.objects.bulk_create(
            Partner(
                tax_number=identifiers.identifier(row["adoszam"]),
                name=row["nev"].strip(),
                address=row["cim"].strip(),
                bank_account=row["bankszamla"],
            )
            for row in files.get(PARTNERS, [])
        )
        if not files.get(OPENING):
            return
        day = dt.date.fromisoformat(files[OPENING][0]["nap"])
        years.open_year(day.year, CLERK)
        lines = [
            Line(row["szamlaszam"], debit=int(row["tartozik"] or 0), credit=int(row["kovetel"] or 0))
            for row in files[OPENING]
        ]
        opening = bookkeeping.post(Voucher.Kind.OPENING, day, "Nyitó tételek", lines, CLERK)
        partners = dict(Partner.objects.values_list("tax_number", "pk"))
        Invoice.objects.bulk_create(_open_item(row, partners, opening) for row in files.get(OPEN_ITEMS, []))


def _open_item(row: Mapping[str, str], partners: Mapping[str, int], opening: Voucher) -> Invoice:
    issued = dt.date.fromisoformat(row["kelte"])
    return Invoice(
        partner_id=partners[identifiers.identifier(row["adoszam"])],
        number=row["szamla"],
        item_id=row["rovat"],
        issued=issued,
        performed=issued,
        due=dt.date.fromisoformat(row["hatarido"]),
        gross=int(row["brutto"]),
        state=Invoice.State.APPROVED,
        recorded_by=CLERK,
        decided_by="",
        posted=opening,
    )
