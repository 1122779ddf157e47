"""Notified and licensed trades (210/2009. (IX. 29.) Korm. rendelet), their history and inspections.

An entry's data on any day follows from its changes: nothing is overwritten without a trace.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from systems.core.texts import fold
from systems.shared import identifiers


def known_identifier(value: str) -> None:
    try:
        identifiers.identifier(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Kind(models.TextChoices):
    """What a trade needs; register numbers begin with the value."""

    NOTIFICATION = "B", "bejelentés-köteles tevékenység"
    LICENCE = "E", "működésiengedély-köteles tevékenység"


class ProductGroup(models.Model):
    """A group of goods; `licensed`: only in a shop with a licence. Assumed until compared with the law."""

    code = models.CharField(max_length=10, primary_key=True)
    name = models.CharField(max_length=120)
    licensed = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "product_group"
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.name} (működésiengedély-köteles)" if self.licensed else self.name


class Trade(models.Model):
    """Data of a trade. `products`: codes of product groups; `site`: a shop's address, else the place."""

    class Form(models.TextChoices):
        """The kind of trade, as in the electronic form."""

        SHOP = "shop", "üzletben"
        MOBILE = "mobile", "mozgóboltban"
        MARKET = "market", "piacon vagy vásáron"
        PARCEL = "parcel", "csomagküldéssel"

    trader_name = models.CharField("kereskedő neve", max_length=200)
    trader_identifier = models.CharField("adószám vagy adóazonosító jel", max_length=20, validators=[known_identifier])
    trader_address = models.CharField("székhely", max_length=300)
    activity = models.CharField("tevékenység", max_length=200)
    form = models.CharField("tevékenység módja", max_length=6, choices=Form)
    shop_name = models.CharField("üzlet elnevezése", max_length=200, blank=True)
    site = models.CharField("tevékenység helye", max_length=500)
    floor_area = models.PositiveIntegerField("alapterület (m²)", null=True, blank=True)
    opening_hours = models.CharField("nyitvatartás", max_length=500, blank=True)
    alcohol = models.BooleanField("szeszes italt is árusít", default=False)
    products = models.JSONField("termékkörök", default=list, blank=True)
    since = models.DateField("tevékenység kezdete")

    class Meta:
        abstract = True


TRADE = [field.name for field in Trade._meta.fields]


class Notification(Trade):
    """A notification from a citizen's form or on paper; it becomes a register entry when a clerk accepts it."""

    class State(models.TextChoices):
        OPEN = "open", "elbírálásra vár"
        REGISTERED = "registered", "nyilvántartásba véve"
        REJECTED = "rejected", "elutasítva"

    submission = models.UUIDField(unique=True, null=True, editable=False)
    number = models.CharField("iktatószám", max_length=40)
    applicant = models.CharField("bejelentő", max_length=200)
    received_on = models.DateField("beérkezett", default=timezone.localdate)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN, editable=False)
    decided_by = models.CharField(max_length=120, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    reason = models.CharField("indok", max_length=1000, blank=True, editable=False)
    asked_for = models.CharField("hiánypótlás", max_length=1000, blank=True, editable=False)
    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        db_table = "notification"
        ordering = ["received_on", "id"]
        constraints = [
            models.CheckConstraint(
                name="decided_when_decided",
                condition=Q(state="open", decided_at=None) | ~Q(state="open") & ~Q(decided_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trader_name}, {self.activity}"


class Counter(models.Model):
    """The last number issued in a year for a kind of entry; taking the next one locks the row until it is saved."""

    pk = models.CompositePrimaryKey("kind", "year")
    kind = models.CharField(max_length=1, choices=Kind)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "counter"


class Entry(Trade):
    """A trade in the register. `number`: such as `B/2026/1`; `until`: its last day."""

    kind = models.CharField("fajta", max_length=1, choices=Kind)
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    number = models.CharField("nyilvántartási szám", max_length=20, unique=True)
    notification = models.OneToOneField(Notification, on_delete=models.PROTECT, related_name="entry", null=True)
    registered_on = models.DateField("nyilvántartásba véve")
    suspended_since = models.DateField("szünetel", null=True)
    until = models.DateField("megszűnt", null=True)
    search_text = models.TextField()

    class Meta:
        db_table = "entry"
        ordering = ["-year", "kind", "-serial"]
        constraints = [
            models.UniqueConstraint(name="number_once", fields=["kind", "year", "serial"]),
            models.CheckConstraint(name="ends_after_begin", condition=Q(until=None) | Q(until__gte=models.F("since"))),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.trader_name}"

    def save(self, **options) -> None:
        words = (self.number, self.trader_name, self.trader_identifier, self.shop_name, self.site, self.activity)
        self.search_text = fold(" ".join(words))
        super().save(**options)

    @property
    def state(self) -> str:
        """Its state, in Hungarian."""
        if self.until:
            return "megszűnt"
        return "szünetel" if self.suspended_since else "működik"

    def trade(self) -> dict[str, Any]:
        """Its data in a form that JSON can store."""
        return {name: _plain(getattr(self, name)) for name in TRADE}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


class Change(models.Model):
    """A change of an entry on a day; `before` and `after` hold only the changed data. Rows are only ever added."""

    class What(models.TextChoices):
        REGISTERED = "registered", "nyilvántartásba vétel"
        CHANGED = "changed", "adatváltozás"
        SUSPENDED = "suspended", "szüneteltetés"
        RESUMED = "resumed", "folytatás"
        ENDED = "ended", "megszűnés"

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="changes")
    what = models.CharField(max_length=10, choices=What)
    day = models.DateField("változás napja")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField("ok, irat száma", max_length=300)
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "change"
        ordering = ["-day", "-id"]


class Inspection(models.Model):
    """A clerk's findings at a site, and the deadline for correcting them; `settled_on`: when that was checked."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="inspections")
    day = models.DateField("ellenőrzés napja")
    finding = models.CharField("megállapítás", max_length=2000)
    deadline = models.DateField("határidő", null=True, blank=True)
    settled_on = models.DateField("lezárva", null=True, editable=False)
    outcome = models.CharField("eredmény", max_length=1000, blank=True, editable=False)
    recorded_by = models.CharField(max_length=120, editable=False)
    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        db_table = "inspection"
        ordering = ["-day", "-id"]
        constraints = [
            models.CheckConstraint(
                name="deadline_not_before", condition=Q(deadline=None) | Q(deadline__gte=models.F("day"))
            ),
        ]

    @property
    def pending(self) -> bool:
        """Whether something still has to be corrected."""
        return self.deadline is not None and self.settled_on is None

    @property
    def overdue(self) -> bool:
        return self.pending and self.deadline < timezone.localdate()
