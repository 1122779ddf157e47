"""Import of an earlier register of trades, with its numbers. Days ISO, product groups by code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from systems.exchange.cells import YES_NO, Cells, read
from systems.exchange.importing import Report, Rows
from systems.iparker import registering
from systems.iparker.models import Counter, Entry, Kind, ProductGroup, Trade

FILE = "bejegyzesek.csv"
COLUMNS = ("szam", "kereskedo", "adoszam", "szekhely", "tevekenyseg", "mod", "uzlet", "hely", "alapterulet")
COLUMNS += ("nyitvatartas", "szeszes_ital", "termekkorok", "kezdete", "nyilvantartasba_veve", "szunetel", "megszunt")
FILES = {FILE: COLUMNS}
CLERK, REASON = "Migráció", "korábbi nyilvántartásból"
FORMS = {label: value for value, label in Trade.Form.choices}
NUMBER = re.compile(r"([BE])/((?:19|20)[0-9]{2})/([1-9][0-9]{0,6})", re.ASCII)


def check(files: Mapping[str, Rows]) -> Report:
    """Every entry has a free number, in a year without numbers here; totals: all entries, and the active ones."""
    report = Report(totals={"bejegyzés": 0, "élő bejegyzés": 0})
    groups = dict(ProductGroup.objects.values_list("code", "licensed"))
    years_in_use = set(Counter.objects.values_list("kind", "year"))
    numbers = set(Entry.objects.values_list("number", flat=True))
    for cells, values in read(files, FILE, partial(_values, groups), report):
        number = cells.raw("szam")
        if values.get("number"):
            if number in numbers:
                cells.fault("szam", "olyan, amely még nincs")
            elif (values["kind"], values["year"]) in years_in_use:
                cells.fault("szam", "olyan év száma, amelyben itt még nem adtak ilyen számot")
            numbers.add(number)
        report.totals["bejegyzés"] += 1
        report.totals["élő bejegyzés"] += not cells.raw("megszunt")
    return report


def _values(groups: Mapping[str, bool], cells: Cells) -> dict[str, Any]:
    """An entry's fields; `groups`: product group → whether it needs a licence."""
    form = cells.one_of("mod", FORMS)
    values = {
        "trader_name": cells.text("kereskedo", 200),
        "trader_identifier": cells.identifier("adoszam"),
        "trader_address": cells.text("szekhely", 300),
        "activity": cells.text("tevekenyseg", 200),
        "form": form,
        "shop_name": cells.text("uzlet", 200, optional=form != Trade.Form.SHOP),
        "site": cells.text("hely", 500),
        "floor_area": cells.integer("alapterulet", least=1, most=100_000, optional=form != Trade.Form.SHOP),
        "opening_hours": cells.text("nyitvatartas", 500, optional=True),
        "alcohol": cells.one_of("szeszes_ital", YES_NO),
        "products": [code.strip() for code in cells.raw("termekkorok").split(",") if code.strip()],
        "since": cells.day("kezdete", future=True),
        "registered_on": cells.day("nyilvantartasba_veve"),
        "suspended_since": cells.day("szunetel", optional=True),
        "until": cells.day("megszunt", optional=True),
    }
    if values["since"] and values["until"] and values["until"] < values["since"]:
        cells.fault("megszunt", "a kezdeténél nem korábbi nap")
    if not values["products"] or not set(values["products"]) <= set(groups):
        cells.fault("termekkorok", f"vesszővel elválasztva ezek közül: {', '.join(groups)}")
    return values | _number(cells, any(groups.get(code) for code in values["products"]))


def _number(cells: Cells, licensed: bool) -> dict[str, Any]:
    parts = NUMBER.fullmatch(cells.raw("szam"))
    if not parts or int(parts[2]) > timezone.localdate().year:
        cells.fault("szam", "nyilvántartási szám, például B/2019/7 vagy E/2019/7")
        return {}
    if (parts[1] == Kind.LICENCE) != licensed:
        cells.fault("szam", "E, ha van működésiengedély-köteles termékkör, különben B kezdetű")
    return {"number": parts[0], "kind": parts[1], "year": int(parts[2]), "serial": int(parts[3])}


def apply(files: Mapping[str, Rows]) -> None:
    """Write everything, after a check without faults; numbering continues after the largest number of each year."""
    groups, highest = dict(ProductGroup.objects.values_list("code", "licensed")), {}
    with transaction.atomic():
        for _, values in read(files, FILE, partial(_values, groups), Report()):
            registering.take_over(Entry(**values), REASON, CLERK)
            key = values["kind"], values["year"]
            highest[key] = max(highest.get(key, 0), values["serial"])
        Counter.objects.bulk_create(Counter(kind=kind, year=year, last=n) for (kind, year), n in highest.items())
