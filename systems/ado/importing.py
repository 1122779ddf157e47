"""Import of the open liabilities of an earlier tax system: taxpayers, assessments, instalments, payments.

An assessment's instalments sum up to it. Amounts are whole forints, days ISO.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from systems.ado import payments
from systems.ado.models import Assessment, Instalment, Payment, Tax, Taxpayer
from systems.exchange.cells import Cells, read
from systems.exchange.importing import Report, Rows

TAXPAYERS, ASSESSMENTS, INSTALMENTS, PAYMENTS = "adozok.csv", "kivetesek.csv", "esedekessegek.csv", "befizetesek.csv"
FILES = {
    TAXPAYERS: ("adoazonosito", "nev", "cim"),
    ASSESSMENTS: ("adoazonosito", "adonem", "ev", "adoalap", "ezrelek", "ado"),
    INSTALMENTS: ("adoazonosito", "adonem", "ev", "esedekesseg", "osszeg"),
    PAYMENTS: ("adoazonosito", "nap", "osszeg", "hivatkozas"),
}
CLERK = "Migráció"
EARLIEST = 1990  # the first year of local taxes
Key = tuple[str | None, str | None, int | None]  # taxpayer's identifier, tax's code, year


def check(files: Mapping[str, Rows]) -> Report:
    """Every row can be imported, instalments sum up to assessments; totals: taxpayers, assessed, paid, balance."""
    report = Report(totals={"adózó": 0, "kivetett adó": 0, "befizetett adó": 0, "egyenleg": 0})
    taxpayers = _check_taxpayers(files, report)
    assessments = _check_assessments(files, report, taxpayers)
    parts = _check_instalments(files, report, assessments)
    for number, row in enumerate(files.get(ASSESSMENTS, []), 2):
        cells = Cells(Report(), ASSESSMENTS, number, row)
        key, amount = _key(cells), cells.integer("ado")
        if amount is not None and parts[key] != amount:
            report.fault(ASSESSMENTS, number, "ado", row["ado"], f"a részletek összege ({INSTALMENTS}): {parts[key]}")
    _check_payments(files, report, taxpayers)
    report.totals["egyenleg"] = report.totals["kivetett adó"] - report.totals["befizetett adó"]
    return report


def _check_taxpayers(files: Mapping[str, Rows], report: Report) -> set[str]:
    taxpayers = set(Taxpayer.objects.values_list("identifier", flat=True))
    for cells, values in read(files, TAXPAYERS, _taxpayer, report):
        if values["identifier"] in taxpayers:
            cells.fault("adoazonosito", "olyan, amely még nincs")
        taxpayers.add(values["identifier"])
        report.totals["adózó"] += 1
    return taxpayers


def _owner(cells: Cells, taxpayers: set[str]) -> None:
    if cells.sound and cells.identifier("adoazonosito") not in taxpayers:
        cells.fault("adoazonosito", f"felvett adózóé, vagy a(z) {TAXPAYERS} fájlban álljon")


def _check_assessments(files: Mapping[str, Rows], report: Report, taxpayers: set[str]) -> set[Key]:
    existing = set(Assessment.objects.values_list("taxpayer__identifier", "tax_id", "year"))
    keys = set()
    for cells, values in read(files, ASSESSMENTS, partial(_assessment, _taxes()), report):
        _owner(cells, taxpayers)
        key = values["identifier"], values["tax_id"], values["year"]
        if key in existing or key in keys:
            cells.fault("ev", "olyan, amelyre ez az adó még nincs kivetve")
        keys.add(key)
        report.totals["kivetett adó"] += values["amount"] or 0
    return {key for key in keys if None not in key}


def _check_instalments(files: Mapping[str, Rows], report: Report, assessments: set[Key]) -> dict[Key, int]:
    """Forints of the instalments of each assessment."""
    sums, days = defaultdict(int), set()
    for cells, values in read(files, INSTALMENTS, _instalment, report):
        if not cells.sound:
            continue
        key = _key(cells)
        if key not in assessments:
            cells.fault("adoazonosito", f"a(z) {ASSESSMENTS} fájl egyik kivetéséé")
        if (key, values["due"]) in days:
            cells.fault("esedekesseg", "ennél a kivetésnél egyszer szereplő nap")
        days.add((key, values["due"]))
        sums[key] += values["amount"]
    return sums


def _check_payments(files: Mapping[str, Rows], report: Report, taxpayers: set[str]) -> None:
    references = set(Payment.objects.values_list("reference", flat=True))
    for cells, values in read(files, PAYMENTS, _payment, report):
        _owner(cells, taxpayers)
        if values["reference"] in references:
            cells.fault("hivatkozas", "olyan, amely még nincs")
        references.add(values["reference"])
        report.totals["befizetett adó"] += values["amount"] or 0


def _key(cells: Cells) -> Key:
    return cells.identifier("adoazonosito"), cells.raw("adonem"), cells.integer("ev")


def _taxes() -> dict[str, str]:
    return {code: code for code in Tax.objects.values_list("code", flat=True)}


def _taxpayer(cells: Cells) -> dict[str, Any]:
    names = {"name": cells.text("nev", 200), "address": cells.text("cim", 300)}
    return {"identifier": cells.identifier("adoazonosito"), **names}


def _assessment(taxes: Mapping[str, str], cells: Cells) -> dict[str, Any]:
    return {
        "identifier": cells.identifier("adoazonosito"),
        "tax_id": cells.one_of("adonem", taxes),
        "year": cells.integer("ev", least=EARLIEST, most=timezone.localdate().year),
        "base": cells.integer("adoalap"),
        "per_mille": cells.integer("ezrelek", most=1000),
        "amount": cells.integer("ado"),
    }


def _instalment(cells: Cells) -> dict[str, Any]:
    cells.identifier("adoazonosito")
    cells.integer("ev")
    return {"due": cells.day("esedekesseg", future=True), "amount": cells.integer("osszeg")}


def _payment(cells: Cells) -> dict[str, Any]:
    cells.identifier("adoazonosito")
    amount, reference = cells.integer("osszeg", least=1), cells.text("hivatkozas", 60)
    return {"day": cells.day("nap"), "amount": amount, "reference": reference}


def apply(files: Mapping[str, Rows]) -> None:
    """Write everything, after a check without faults."""
    report = Report()
    with transaction.atomic():
        Taxpayer.objects.bulk_create(Taxpayer(**v) for _, v in read(files, TAXPAYERS, _taxpayer, report))
        owners = dict(Taxpayer.objects.values_list("identifier", "pk"))
        assessments = {
            _key(cells): Assessment(taxpayer_id=owners[values.pop("identifier")], made_by=CLERK, **values)
            for cells, values in read(files, ASSESSMENTS, partial(_assessment, _taxes()), report)
        }
        Assessment.objects.bulk_create(assessments.values())
        rows = read(files, INSTALMENTS, _instalment, report)
        Instalment.objects.bulk_create(
            Instalment(assessment=assessments[_key(cells)], **values) for cells, values in rows
        )
        rows = read(files, PAYMENTS, _payment, report)
        payments.receive(
            [
                Payment(taxpayer_id=owners[cells.identifier("adoazonosito")], recorded_by=CLERK, **values)
                for cells, values in rows
            ]
        )
