"""Import of open inventories, with the notaries. Amounts are whole forints, days ISO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from systems.exchange.cells import YES_NO, Cells, read
from systems.exchange.importing import Report, Rows
from systems.hagyatek import handing
from systems.hagyatek.models import Area, Asset, Debt, Estate, Heir, Notary, Relation

ESTATES, HEIRS, ASSETS, DEBTS, NOTARIES = "hagyatekok.csv", "orokosok.csv", "vagyon.csv", "terhek.csv", "kozjegyzok.csv"
FILES = {
    ESTATES: ("ugyszam", "nyilatkozo", "tudomasszerzes", "nev", "szuletesi_nev", "anyja_neve", "szuletesi_hely")
    + ("szuletett", "elhunyt", "halal_helye", "lakohely", "adoazonosito"),
    HEIRS: ("ugyszam", "nev", "lakcim", "kapcsolat", "jogcim", "orokresz", "kiskoru", "gondnokolt", "kepviselo"),
    ASSETS: ("ugyszam", "fajta", "megnevezes", "hely", "azonosito", "hanyad", "ertek"),
    DEBTS: ("ugyszam", "jogosult", "jogcim", "osszeg"),
    NOTARIES: ("nev", "szekhely", "cim", "telepules"),
}
RELATIONS = {label: value for value, label in Relation.choices}
BASES = {label: value for value, label in Heir.Basis.choices}
KINDS = {label: value for value, label in Asset.Kind.choices}


def check(files: Mapping[str, Rows]) -> Report:
    """Every inventory is new, every part belongs to one in the package; totals: their number and value."""
    report = Report(totals={"hagyatéki leltár": 0, "vagyon értéke": 0, "terhek összege": 0})
    numbers, package_numbers = set(Estate.objects.values_list("number", flat=True)), set()
    for cells, values in read(files, ESTATES, _estate, report):
        if values["number"] in numbers:
            cells.fault("ugyszam", "olyan, amely még nincs")
        numbers.add(values["number"])
        package_numbers.add(values["number"])
        report.totals["hagyatéki leltár"] += 1
    for name, reader in ((HEIRS, _heir), (ASSETS, _asset), (DEBTS, _debt)):
        for cells, values in read(files, name, reader, report):
            if cells.raw("ugyszam") not in package_numbers:
                cells.fault("ugyszam", f"a(z) {ESTATES} fájl egyik ügyszáma")
            report.totals["vagyon értéke"] += values.get("value") or 0
            report.totals["terhek összege"] += values.get("amount") or 0
    for _ in read(files, NOTARIES, _notary, report):
        pass
    return report


def _estate(cells: Cells) -> dict[str, Any]:
    values = {
        "number": cells.text("ugyszam", 40),
        "reporter": cells.text("nyilatkozo", 200),
        "received_on": cells.day("tudomasszerzes"),
        "name": cells.text("nev", 200),
        "birth_name": cells.text("szuletesi_nev", 200, optional=True),
        "mother_name": cells.text("anyja_neve", 200, optional=True),
        "birth_place": cells.text("szuletesi_hely", 100, optional=True),
        "born": cells.day("szuletett", optional=True),
        "died": cells.day("elhunyt"),
        "death_place": cells.text("halal_helye", 100, optional=True),
        "address": cells.text("lakohely", 300),
        "identifier": cells.identifier("adoazonosito", optional=True),
    }
    if values["born"] and values["died"] and values["died"] < values["born"]:
        cells.fault("elhunyt", "a születésnél nem korábbi nap")
    if values["died"] and values["received_on"] and values["received_on"] < values["died"]:
        cells.fault("tudomasszerzes", "a halál napjánál nem korábbi nap")
    if "-" in (values["identifier"] or ""):
        cells.fault("adoazonosito", "személy adóazonosító jele")
    return values


def _heir(cells: Cells) -> dict[str, Any]:
    part, whole = cells.share("orokresz", optional=True) or (None, None)
    return {
        "name": cells.text("nev", 200),
        "address": cells.text("lakcim", 300),
        "relation": cells.one_of("kapcsolat", RELATIONS),
        "basis": cells.one_of("jogcim", BASES),
        "share_part": part,
        "share_whole": whole,
        "minor": cells.one_of("kiskoru", YES_NO),
        "ward": cells.one_of("gondnokolt", YES_NO),
        "representative": cells.text("kepviselo", 200, optional=True),
    }


def _asset(cells: Cells) -> dict[str, Any]:
    part, whole = cells.share("hanyad") or (None, None)
    return {
        "kind": cells.one_of("fajta", KINDS),
        "description": cells.text("megnevezes", 2000),
        "place": cells.text("hely", 200, optional=True),
        "reference": cells.text("azonosito", 60, optional=True),
        "share_part": part,
        "share_whole": whole,
        "value": cells.integer("ertek", optional=True),
    }


def _debt(cells: Cells) -> dict[str, Any]:
    return {
        "creditor": cells.text("jogosult", 2000),
        "basis": cells.text("jogcim", 2000, optional=True),
        "amount": cells.integer("osszeg", least=1, optional=True),
    }


def _notary(cells: Cells) -> dict[str, Any]:
    return {
        "name": cells.text("nev", 120),
        "seat": cells.text("szekhely", 120),
        "address": cells.text("cim", 200),
        "settlement": cells.text("telepules", 60),
    }


def apply(files: Mapping[str, Rows]) -> None:
    """Write everything, after a check without faults. A notary with several settlements has a row for each."""
    report = Report()
    with transaction.atomic():
        estates = {v["number"]: handing.begin(**v) for _, v in read(files, ESTATES, _estate, report)}
        for name, model, reader in ((HEIRS, Heir, _heir), (ASSETS, Asset, _asset), (DEBTS, Debt, _debt)):
            rows = read(files, name, reader, report)
            model.objects.bulk_create(model(estate=estates[cells.raw("ugyszam")], **v) for cells, v in rows)
        for _, values in read(files, NOTARIES, _notary, report):
            settlement = values.pop("settlement")
            notary, _ = Notary.objects.get_or_create(**values)
            Area.objects.get_or_create(notary=notary, settlement=settlement)
