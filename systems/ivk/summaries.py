"""The statutory summary: how many parcels, how large and of what value, by class and position, on any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from systems.ivk.models import Change, Parcel


@dataclass
class Row:
    """Sums of one class: square metres and forints."""

    transferability: str
    area: str
    count: int = 0
    square_metres: int = 0
    gross: int = 0
    depreciation: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.depreciation


def by_class(day: dt.date) -> list[Row]:
    """What was in the register at the end of a day, in the order of the classes."""
    classes, areas = dict(Parcel.Transferability.choices), dict(Parcel.Area.choices)
    sums: dict[tuple[str, str], Row] = {}
    live = Q(parcel__ended=None) | Q(parcel__ended__gt=day)
    newest = Change.objects.filter(live, day__lte=day, parcel__since__lte=day).order_by("parcel_id", "-day", "-id")
    for data in newest.distinct("parcel_id").values_list("after", flat=True):
        key = (data["transferability"], data["area"])
        row = sums.setdefault(key, Row(classes[key[0]], areas[key[1]]))
        row.count += 1
        for name in ("square_metres", "gross", "depreciation"):
            setattr(row, name, getattr(row, name) + data[name])
    order = [(t, a) for t in classes for a in areas]
    return [sums[key] for key in order if key in sums]


def total(rows: Sequence[Row]) -> Row:
    """The sum of all rows."""
    sums = Row("Összesen", "")
    for row in rows:
        sums.count += row.count
        sums.square_metres += row.square_metres
        sums.gross += row.gross
        sums.depreciation += row.depreciation
    return sums
