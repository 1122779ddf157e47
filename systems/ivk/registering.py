"""Changes of the register: each one transaction, with its line in the history of every parcel it concerns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from systems.ivk.models import Change, Descent, Parcel

SUMMED = {"square_metres": "terület", "gross": "bruttó érték", "depreciation": "értékcsökkenés"}
DATA = (
    "lot",
    "area",
    "address",
    "use",
    "square_metres",
    "share_part",
    "share_whole",
    "gross",
    "depreciation",
    "transferability",
    "encumbrance",
)


class NotPossible(Exception):
    """The register does not take it; the Hungarian message says why."""


@contextmanager
def _saying() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "lot_once" in str(error):
            raise NotPossible("Ezen a helyrajzi számon már van ingatlan.") from error
        if "token" in str(error):
            raise NotPossible("Ezt már rögzítették.") from error
        raise


def note(parcel: Parcel, kind: str, day: dt.date, reason: str, clerk: str) -> None:
    """A line of a parcel's history."""
    after = {name: getattr(parcel, name) for name in DATA}
    Change.objects.create(parcel=parcel, kind=kind, day=day, reason=reason, after=after, recorded_by=clerk)


def _live(pk: int, day: dt.date) -> Parcel:
    """A parcel to be changed on a day, locked."""
    found = Parcel.objects.select_for_update().get(pk=pk)
    if found.ended:
        raise NotPossible(f"A(z) {found.lot} ingatlan {found.ended:%Y. %m. %d.} napján megszűnt.")
    last = found.changes.last()
    if day < (last.day if last else found.since):
        raise NotPossible(f"A(z) {found.lot} utolsó változása későbbi: {last.day if last else found.since:%Y. %m. %d.}")
    return found


def add(parcel: Parcel, reason: str, clerk: str) -> Parcel:
    """A new parcel, from its `since` on."""
    with _saying():
        parcel.save()
        note(parcel, Change.Kind.NEW, parcel.since, reason, clerk)
    return parcel


def change(pk: int, values: dict[str, object], day: dt.date, reason: str, clerk: str) -> Parcel:
    """Change data of a parcel on a day that is not before its last change."""
    with _saying():
        found = _live(pk, day)
        for name, value in values.items():
            setattr(found, name, value)
        found.save()
        note(found, Change.Kind.DATA, day, reason, clerk)
    return found


def end(pk: int, day: dt.date, reason: str, clerk: str) -> None:
    """Take a parcel out of the register: sold, transferred."""
    with transaction.atomic():
        _end(_live(pk, day), Change.Kind.END, day, reason, clerk)


def _end(parcel: Parcel, kind: str, day: dt.date, reason: str, clerk: str) -> None:
    parcel.ended = day
    parcel.save()
    note(parcel, kind, day, reason, clerk)


def replace(parents: Sequence[int], children: Sequence[Parcel], day: dt.date, reason: str, clerk: str) -> list[Parcel]:
    """Merge several parcels into one, or split one into several. Areas and values must sum up exactly.

    `children` are unsaved; what they have of `since` is set to the day.
    """
    kind = Change.Kind.MERGE if len(children) == 1 else Change.Kind.SPLIT
    if not ((len(parents) == 1) ^ (len(children) == 1)) or not parents or not children:
        raise NotPossible("Összevonni több ingatlant lehet eggyé, megosztani egyet többé.")
    with _saying():
        old = [_live(pk, day) for pk in sorted(set(parents))]
        if len(old) != len(parents):
            raise NotPossible("Egy ingatlan csak egyszer szerepelhet.")
        for name, label in SUMMED.items():
            before, after = (sum(getattr(p, name) for p in group) for group in (old, children))
            if before != after:
                raise NotPossible(f"A(z) {label} összege eltér: előtte {before}, utána {after}.")
        shares = {(p.area, p.share_part, p.share_whole, p.transferability) for p in (*old, *children)}
        if len(shares) > 1:
            raise NotPossible("A fekvés, a tulajdoni hányad és a forgalomképesség mindegyiknél egyezzen.")
        for parent in old:
            _end(parent, kind, day, reason, clerk)
        for child in children:
            child.since = day
            child.save()
            note(child, kind, day, reason, clerk)
            Descent.objects.bulk_create(Descent(parent=parent, child=child) for parent in old)
    return list(children)


def ancestors(parcel: Parcel) -> list[Parcel]:
    """Every parcel that it came of, nearest first."""
    found: dict[int, Parcel] = {}
    layer = [parcel.pk]
    while layer:
        above = Parcel.objects.filter(children_links__child__in=layer).exclude(pk__in=found).distinct()
        found |= {p.pk: p for p in above}
        layer = [p.pk for p in above]
    return list(found.values())
