"""Import of an earlier register's parcels. Areas are whole square metres, amounts whole forints, days ISO."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from fractions import Fraction

from django.db import transaction
from django.utils import timezone

from systems.core.money import LARGEST
from systems.exchange.importing import Report, Rows
from systems.ivk import lot, registering
from systems.ivk.models import Parcel

FILE = "ingatlanok.csv"
COLUMNS = (
    "helyrajzi_szam",
    "fekves",
    "cim",
    "hasznalat",
    "terulet",
    "hanyad",
    "brutto",
    "ertekcsokkenes",
    "forgalomkepesseg",
    "teher",
    "nap",
)
FILES = {FILE: COLUMNS}
CLERK, REASON = "Migráció", "korábbi nyilvántartásból"
AREAS = {label: value for value, label in Parcel.Area.choices}
CLASSES = {label: value for value, label in Parcel.Transferability.choices}
LONGEST = {"cim": 200, "hasznalat": 120, "teher": 500}
SUMMED = {"terulet": "terület", "brutto": "bruttó érték", "ertekcsokkenes": "értékcsökkenés"}


def _whole(text: str) -> int | None:
    """A whole number without sign or spaces; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,16}", text, re.ASCII) and int(text) <= LARGEST else None


def _share(text: str) -> tuple[int, int] | None:
    """`1/2` as two numbers; None unless it is above 0 and at most one whole."""
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text, re.ASCII)
    if not match or not int(match[2]) or not 0 < Fraction(int(match[1]), int(match[2])) <= 1:
        return None
    return int(match[1]), int(match[2])


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day <= timezone.localdate() else None


def check(files: Mapping[str, Rows]) -> Report:
    """Every parcel has a free lot number and valid values; the totals must equal the manifest's."""
    report = Report(totals=dict.fromkeys(["ingatlan", *SUMMED.values()], 0))
    lots = set(Parcel.objects.filter(ended=None).values_list("area", "lot"))
    for number, row in enumerate(files.get(FILE, []), 2):
        report.totals["ingatlan"] += 1
        for column, expectation in _faults(row, lots):
            report.fault(FILE, number, column, row[column], expectation)
        for column, name in SUMMED.items():
            report.totals[name] += _whole(row[column]) or 0
    return report


def _faults(row: Mapping[str, str], lots: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Wrong columns and what they should hold; adds the row's lot number to `lots`."""
    faults, area, number = [], AREAS.get(row["fekves"]), row["helyrajzi_szam"]
    try:
        outer = lot.parse(number)[0]
    except ValueError:
        faults.append(("helyrajzi_szam", "helyrajzi szám, például 123/4/A/5"))
    else:
        if area and (area == Parcel.Area.OUTER) != bool(outer):
            faults.append(("helyrajzi_szam", "külterületen 0-val kezdődik, máshol nem"))
        if (area, number) in lots:
            faults.append(("helyrajzi_szam", "olyan, amely még nincs"))
        lots.add((area, number))
    if area is None:
        faults.append(("fekves", f"ezek egyike: {', '.join(AREAS)}"))
    if row["forgalomkepesseg"] not in CLASSES:
        faults.append(("forgalomkepesseg", f"ezek egyike: {'; '.join(CLASSES)}"))
    faults += [(column, f"legfeljebb {n} betű") for column, n in LONGEST.items() if len(row[column]) > n]
    if not row["hasznalat"].strip():
        faults.append(("hasznalat", "nem üres"))
    if not _whole(row["terulet"]):
        faults.append(("terulet", "egész m² nulla fölött"))
    gross, depreciation = _whole(row["brutto"]), _whole(row["ertekcsokkenes"])
    if gross is None:
        faults.append(("brutto", "egész forint"))
    if depreciation is None or (gross is not None and depreciation > gross):
        faults.append(("ertekcsokkenes", "egész forint, legfeljebb a bruttó érték"))
    if _share(row["hanyad"]) is None:
        faults.append(("hanyad", "tulajdoni hányad, például 1/2"))
    if _day(row["nap"]) is None:
        faults.append(("nap", "mai vagy korábbi nap, például 2026-01-01"))
    return faults


def apply(files: Mapping[str, Rows]) -> None:
    """Write everything, after a check without faults."""
    with transaction.atomic():
        for row in files.get(FILE, []):
            part, whole = _share(row["hanyad"])
            parcel = Parcel(
                lot=row["helyrajzi_szam"],
                area=AREAS[row["fekves"]],
                address=row["cim"],
                use=row["hasznalat"].strip(),
                square_metres=int(row["terulet"]),
                share_part=part,
                share_whole=whole,
                gross=int(row["brutto"]),
                depreciation=int(row["ertekcsokkenes"]),
                transferability=CLASSES[row["forgalomkepesseg"]],
                encumbrance=row["teher"],
                since=dt.date.fromisoformat(row["nap"]),
            )
            registering.add(parcel, REASON, CLERK)
