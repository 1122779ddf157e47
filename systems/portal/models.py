"""What the municipality publishes (news, decrees, public-interest data, contacts), with every change."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from systems.core.texts import fold


class Item(models.Model):
    """An item that editors write. `token`: of the form that created it; `revision`: counts changes, so that two editors
    with the same page do not overwrite each other; `published`: whether visitors see it.
    """

    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    revision = models.PositiveIntegerField(default=0, editable=False)
    published = models.BooleanField("közzétéve", default=False)

    class Meta:
        abstract = True


class NewsSet(models.QuerySet):
    def visible(self, day: dt.date) -> NewsSet:
        """News that visitors see on a day: pinned ones first, then the newest."""
        return self.filter(Q(until=None) | Q(until__gte=day), published=True, since__lte=day).order_by(
            "-pinned", "-since", "-id"
        )


class News(Item):
    """One piece of news, visible from one day until another."""

    title = models.CharField("cím", max_length=160)
    lead = models.CharField("bevezető", max_length=400, blank=True, help_text="Egy-két mondat a listába.")
    text = models.TextField("szöveg")
    since = models.DateField("megjelenik", default=timezone.localdate)
    until = models.DateField("lekerül", null=True, blank=True, help_text="Üresen hagyva kint marad.")
    pinned = models.BooleanField("kiemelt", default=False)

    objects = NewsSet.as_manager()

    class Meta:
        db_table = "news"
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(name="news_ends_after_it_begins", condition=Q(until=None) | Q(until__gte=F("since")))
        ]

    def __str__(self) -> str:
        return self.title


class DecreeSet(models.QuerySet):
    def in_force(self, day: dt.date) -> DecreeSet:
        return self.filter(Q(until=None) | Q(until__gte=day), since__lte=day)

    def search(self, query: str) -> DecreeSet:
        """Decrees whose number, title or text contains every word of a query, ignoring accents and case."""
        decrees = self
        for word in fold(query).split():
            decrees = decrees.filter(searchable__contains=word)
        return decrees


class Decree(Item):
    """A decree of the municipal council, `<number>/<year>`, in force from `since` to `until` (inclusive)."""

    number = models.PositiveSmallIntegerField("szám")
    year = models.PositiveSmallIntegerField("év")
    passed_on = models.DateField("kihirdetve")
    title = models.CharField("cím", max_length=240, help_text="Például: a helyi iparűzési adóról.")
    text = models.TextField("szöveg")
    since = models.DateField("hatályos ettől")
    until = models.DateField("hatályos eddig", null=True, blank=True, help_text="Üresen: visszavonásig.")
    searchable = models.TextField(editable=False)

    objects = DecreeSet.as_manager()

    class Meta:
        db_table = "decree"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(
                name="decree_number_once_a_year",
                fields=["number", "year"],
                violation_error_message="Ilyen számú rendelet ebben az évben már van.",
            ),
            models.CheckConstraint(
                name="decree_ends_after_it_begins", condition=Q(until=None) | Q(until__gte=F("since"))
            ),
        ]

    def save(self, *args, **kwargs) -> None:
        self.searchable = fold(f"{self.name} {self.title}\n{self.text}")
        super().save(*args, **kwargs)

    def in_force(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)

    @property
    def name(self) -> str:
        """As decrees are cited: 12/2026. (XI. 20.) önkormányzati rendelet."""
        day = self.passed_on
        return f"{self.number}/{self.year}. ({ROMAN[day.month - 1]}. {day.day}.) önkormányzati rendelet"

    def __str__(self) -> str:
        return f"{self.name} {self.title}"


ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


class Unit(models.TextChoices):
    """Units of the general publication list (általános közzétételi lista, 2011. évi CXII. törvény 1. melléklet)."""

    ORGANISATION = "I", "I. Szervezeti, személyzeti adatok"
    ACTIVITY = "II", "II. Tevékenységre, működésre vonatkozó adatok"
    FINANCES = "III", "III. Gazdálkodási adatok"


class Publication(Item):
    """One entry of the public-interest data list: a text, or where it can be read."""

    unit = models.CharField("egység", max_length=3, choices=Unit)
    title = models.CharField("megnevezés", max_length=200)
    text = models.TextField("közzétett adat")
    updated_on = models.DateField("frissítve", default=timezone.localdate)

    class Meta:
        db_table = "publication"
        ordering = ["unit", "title"]

    def __str__(self) -> str:
        return self.title


class Contact(Item):
    """The one page of contacts and office hours."""

    address = models.CharField("cím", max_length=200)
    phone = models.CharField("telefonszám", max_length=60, blank=True)
    email = models.EmailField("e-mail-cím", blank=True)
    hours = models.TextField("ügyfélfogadás", help_text="Soronként egy nap, például: hétfő: 8.00–12.00.")
    text = models.TextField("további tudnivalók", blank=True)

    class Meta:
        db_table = "contact"
        constraints = [models.CheckConstraint(name="only_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Elérhetőség"


class Change(models.Model):
    """The content of an item after a change, by whom and when. Rows are only ever added."""

    kind = models.CharField(max_length=20)
    item = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    username = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    content = models.JSONField()

    class Meta:
        db_table = "change"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["kind", "item", "-at"], name="change_of_item")]
