"""An entry for people: the certificate or licence, its data with labels, the register as a sheet."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.dateparse import parse_date

from systems.core import facts
from systems.core.pdf import Pdf
from systems.core.sheets import sheet
from systems.iparker.models import Change, Entry, Kind, ProductGroup, Trade

LAW = "210/2009. (IX. 29.) Korm. rendelet a kereskedelmi tevékenységek végzésének feltételeiről"
TITLES = {Kind.NOTIFICATION: "Igazolás nyilvántartásba vételről", Kind.LICENCE: "Működési engedély"}


def groups(codes: list[str]) -> str:
    """Names of product groups, in their order."""
    return ", ".join(ProductGroup.objects.filter(code__in=codes).values_list("name", flat=True))


def labels_and_values(data: dict[str, Any]) -> list[tuple[str, Any]]:
    """Labels and values of a trade's data (`Entry.trade()` or a part of it) as people read them, without empty ones."""
    rows = []
    for name, value in data.items():
        if value in (None, "", []):
            continue
        field = Entry._meta.get_field(name)
        if name == "products":
            value = groups(value)
        elif name == "form":
            value = Trade.Form(value).label
        elif name in ("since", "suspended_since", "until"):
            value = parse_date(value)
        elif name == "alcohol":
            value = "igen" if value else "nem"
        label = field.verbose_name
        rows.append((label[:1].upper() + label[1:], value))
    return rows


def certificate(entry: Entry) -> Pdf:
    """The certificate of a notified trade or the licence of a shop, as now registered."""
    rows = [("Nyilvántartási szám", entry.number), ("Nyilvántartásba véve", entry.registered_on)]
    pdf = Pdf(TITLES[Kind(entry.kind)], entry.number)
    pdf.paragraph(f"{facts.of_tenant().name} jegyzője a következő kereskedelmi tevékenységet tartja nyilván.")
    pdf.pairs([*rows, *labels_and_values(entry.trade())])
    if entry.until:
        pdf.paragraph(f"A tevékenység {entry.until:%Y. %m. %d.} napján megszűnt.")
    elif entry.suspended_since:
        pdf.paragraph(f"A tevékenység {entry.suspended_since:%Y. %m. %d.} napjától szünetel.")
    if entry.kind == Kind.LICENCE:
        pdf.paragraph("A működésiengedély-köteles termékek ezen engedéllyel, a megjelölt üzletben forgalmazhatók.")
    return pdf.section("Jogalap").paragraph(LAW)


def history(entry: Entry) -> list[tuple[Change, list[tuple[str, Any]]]]:
    """An entry's changes, newest first, each with its new data; the registration has none, because all of it is new."""
    return [
        (change, [] if change.what == Change.What.REGISTERED else labels_and_values(change.after))
        for change in entry.changes.all()
    ]


def register_sheet(entries) -> HttpResponse:
    """The register, or the entries found in it, as XLSX."""
    head = ["Nyilvántartási szám", "Fajta", "Kereskedő", "Adószám", "Székhely", "Tevékenység", "Módja", "Üzlet", "Hely"]
    head += ["Alapterület (m²)", "Nyitvatartás", "Szeszes ital", "Termékkörök", "Kezdete", "Állapot", "Megszűnt"]
    names = dict(ProductGroup.objects.values_list("code", "name"))
    rows = (
        (
            *(e.number, e.get_kind_display(), e.trader_name, e.trader_identifier, e.trader_address, e.activity),
            *(e.get_form_display(), e.shop_name, e.site, e.floor_area, e.opening_hours, "igen" if e.alcohol else "nem"),
            *(", ".join(names.get(code, code) for code in e.products), e.since, e.state, e.until),
        )
        for e in entries
    )
    return sheet("kereskedelmi-nyilvantartas", head, rows, "Kereskedelmi nyilvántartás")
