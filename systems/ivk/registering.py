"""Changes of the register: each is one transaction and adds a line to the history of every parcel concerned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from systems.core.errors import NotPossible
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


@contextmanager
def _explain_refusals() -> Iterator[None]:
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
    """Add a line to a parcel's history."""
    after = {name: getattr(parcel, name) for name in DATA}
    Change.objects.create(parcel=parcel, kind=kind, day=day, reason=reason, after=after, recorded_by=clerk)


def _live(pk: int, day: dt.date) -> Parcel:
    """A parcel that may be changed on a day, locked."""
    parcel = Parcel.objects.select_for_update().get(pk=pk)
    if parcel.ended:
        raise NotPossible(f"A(z) {parcel.lot} ingatlan {parcel.ended:%Y. %m. %d.} napján megszűnt.")
    latest = parcel.changes.last()
    if day < (latest.day if latest else parcel.since):
        raise NotPossible(
            f"A(z) {parcel.lot} utolsó változása későbbi: {latest.day if latest else parcel.since:%Y. %m. %d.}"
        )
    return parcel


def add(parcel: Parcel, reason: str, clerk: str) -> Parcel:
    """Add a parcel to the register from its `since` on."""
    with _explain_refusals():
        parcel.save()
        note(parcel, Change.Kind.NEW, parcel.since, reason, clerk)
    return parcel


def change(pk: int, values: dict[str, object], day: dt.date, reason: str, clerk: str) -> Parcel:
    """Change data of a parcel on a day not before its last change."""
    with _explain_refusals():
        parcel = _live(pk, day)
        for name, value in values.items():
            setattr(parcel, name, value)
        parcel.save()
        note(parcel, Change.Kind.DATA, day, reason, clerk)
    return parcel


def end(pk: int, day: dt.date, reason: str, clerk: str) -> None:
    """Remove a parcel from the register because it was sold or transferred."""
    with transaction.atomic():
        _end(_live(pk, day), Change.Kind.END, day, reason, clerk)


def _end(parcel: Parcel, kind: str, day: dt.date, reason: str, clerk: str) -> None:
    parcel.ended = day
    parcel.save()
    note(parcel, kind, day, reason, clerk)


def replace(parents: Sequence[int], children: Sequence[Parcel], day: dt.date, reason: str, clerk: str) -> list[Parcel]:
    """Merge several parcels into one, or split one into several. Areas and values must sum up exactly.

    `children` are unsaved; their `since` is set to the day.
    """
    kind = Change.Kind.MERGE if len(children) == 1 else Change.Kind.SPLIT
    if not ((len(parents) == 1) ^ (len(children) == 1)) or not parents or not children:
        raise NotPossible("Összevonni több ingatlant lehet eggyé, megosztani egyet többé.")
    with _explain_refusals():
        locked_parents = [_live(pk, day) for pk in sorted(set(parents))]
        if len(locked_parents) != len(parents):
            raise NotPossible("Egy ingatlan csak egyszer szerepelhet.")
        for name, label in SUMMED.items():
            before, after = (sum(getattr(p, name) for p in group) for group in (locked_parents, children))
            if before != after:
                raise NotPossible(f"A(z) {label} összege eltér: előtte {before}, utána {after}.")
        shares = {(p.area, p.share_part, p.share_whole, p.transferability) for p in (*locked_parents, *children)}
        if len(shares) > 1:
            raise NotPossible("A fekvés, a tulajdoni hányad és a forgalomképesség mindegyiknél egyezzen.")
        for parent in locked_parents:
            _end(parent, kind, day, reason, clerk)
        for child in children:
            child.since = day
            child.save()
            note(child, kind, day, reason, clerk)
            Descent.objects.bulk_create(Descent(parent=parent, child=child) for parent in locked_parents)
    return list(children)


def ancestors(parcel: Parcel) -> list[Parcel]:
    """Every parcel that it came from, nearest first."""
    by_key: dict[int, Parcel] = {}
    layer = [parcel.pk]
    while layer:
        above = Parcel.objects.filter(children_links__child__in=layer).exclude(pk__in=by_key).distinct()
        by_key |= {p.pk: p for p in above}
        layer = [p.pk for p in above]
    return list(by_key.values())
