"""The register of the municipality's real estate (147/1992. Korm. rendelet): parcels, their values, and their history.

A parcel's data on any day is its newest change up to that day (`Change.after`): nothing is overwritten without a trace.
Areas are whole square metres, values whole forints.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from systems.core import parameters
from systems.core.money import ForintField
from systems.ivk import lot


def known_lot(value: str) -> None:
    try:
        lot.parse(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Parameter(parameters.Parameter):
    """Time limits of the property register."""

    value = models.BigIntegerField()


class Parcel(models.Model):
    """A parcel; an ended one was merged, split or sold. `position`: its lot number as numbers, for sorting."""

    class Area(models.TextChoices):
        INNER = "inner", "belterület"
        OUTER = "outer", "külterület"
        GARDEN = "garden", "zártkert"

    class Transferability(models.TextChoices):
        """Forgalomképesség."""

        EXCLUSIVE = "exclusive", "forgalomképtelen, kizárólagos tulajdon"
        NATIONAL = "national", "forgalomképtelen, nemzetgazdasági szempontból kiemelt"
        LIMITED = "limited", "korlátozottan forgalomképes"
        BUSINESS = "business", "üzleti vagyon"

    lot = models.CharField("helyrajzi szám", max_length=40, validators=[known_lot])
    position = models.JSONField(editable=False)
    area = models.CharField("fekvés", max_length=6, choices=Area)
    address = models.CharField("cím", max_length=200, blank=True)
    use = models.CharField("művelési ág vagy használat", max_length=120)
    square_metres = models.PositiveBigIntegerField("terület (m²)")
    share_part = models.PositiveIntegerField("tulajdoni hányad számlálója", default=1)
    share_whole = models.PositiveIntegerField("tulajdoni hányad nevezője", default=1)
    gross = ForintField("bruttó érték")
    depreciation = ForintField("értékcsökkenés", default=0)
    transferability = models.CharField("forgalomképesség", max_length=9, choices=Transferability)
    encumbrance = models.CharField("teher, jog", max_length=500, blank=True)
    since = models.DateField("nyilvántartva")
    ended = models.DateField("megszűnt", null=True, editable=False)
    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        db_table = "parcel"
        ordering = ["position", "area", "id"]
        constraints = [
            models.UniqueConstraint(name="lot_once", fields=["area", "lot"], condition=Q(ended=None)),
            models.CheckConstraint(
                name="share_of_whole",
                condition=Q(share_part__gte=1, share_part__lte=F("share_whole")),
            ),
            models.CheckConstraint(
                name="depreciation_within_gross",
                condition=Q(gross__gte=0, depreciation__gte=0, depreciation__lte=F("gross")),
            ),
            models.CheckConstraint(name="has_area", condition=Q(square_metres__gt=0)),
            models.CheckConstraint(name="ended_after_since", condition=Q(ended=None) | Q(ended__gte=F("since"))),
        ]

    def __str__(self) -> str:
        return f"{self.lot} ({self.get_area_display()})"

    def save(self, *args, **kwargs) -> None:
        self.position = list(lot.parse(self.lot))
        super().save(*args, **kwargs)

    @property
    def net(self) -> int:
        return self.gross - self.depreciation

    @property
    def share(self) -> str:
        return f"{self.share_part}/{self.share_whole}"

    def as_of(self, day: dt.date) -> dict[str, Any] | None:
        """Its data at the end of a day, by name; None when it was not in the register."""
        if day < self.since or (self.ended and day >= self.ended):
            return None
        last = self.changes.filter(day__lte=day).order_by("-day", "-id").first()
        return last.after if last else None


class Change(models.Model):
    """One change of a parcel, with all its data afterwards. Rows are only ever added. `day`: of the change itself."""

    class Kind(models.TextChoices):
        NEW = "new", "felvétel"
        DATA = "data", "adatváltozás"
        MERGE = "merge", "összevonás"
        SPLIT = "split", "megosztás"
        END = "end", "kivezetés"

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=5, choices=Kind)
    day = models.DateField("változás napja")
    reason = models.CharField("ok, irat száma", max_length=200)
    after = models.JSONField()
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "change"
        ordering = ["day", "id"]


class Descent(models.Model):
    """Which parcel came from which, by merging or splitting."""

    parent = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="children_links")
    child = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="parent_links")

    class Meta:
        db_table = "descent"
        constraints = [
            models.UniqueConstraint(name="descent_once", fields=["parent", "child"]),
            models.CheckConstraint(name="not_of_itself", condition=~Q(parent=F("child"))),
        ]
