"""Inventories of estates (2010. évi XXXVIII. törvény, 29/2010. KIM rendelet): the deceased, heirs, assets, debts.

Amounts are whole forints. An estate that was handed over or closed is locked, also in the database.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from systems.core import parameters
from systems.core.money import ForintField
from systems.core.texts import fold
from systems.shared import identifiers

OF_AGE = 18


def known_sign(value: str) -> None:
    try:
        identifiers.tax_sign(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Parameter(parameters.Parameter):
    """Time limits of estates."""

    value = models.BigIntegerField()


class Notary(models.Model):
    """A notary to whom inventories are handed over."""

    name = models.CharField("név", max_length=120)
    seat = models.CharField("székhely", max_length=120)
    address = models.CharField("iroda címe", max_length=200)
    active = models.BooleanField("működik", default=True)

    class Meta:
        db_table = "notary"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.seat})"


class Area(models.Model):
    """A settlement where a notary is competent, for deaths in these months of a year."""

    notary = models.ForeignKey(Notary, on_delete=models.CASCADE, related_name="areas")
    settlement = models.CharField("település", max_length=60)
    first_month = models.PositiveSmallIntegerField("első hónap", default=1)
    last_month = models.PositiveSmallIntegerField("utolsó hónap", default=12)

    class Meta:
        db_table = "notary_area"
        ordering = ["settlement", "first_month"]
        constraints = [
            models.CheckConstraint(
                name="months_of_a_year",
                condition=Q(first_month__gte=1, last_month__gte=F("first_month"), last_month__lte=12),
            ),
            models.UniqueConstraint(name="area_once", fields=["notary", "settlement", "first_month"]),
        ]


class Relation(models.TextChoices):
    """Relation to the deceased, as in the electronic form."""

    SPOUSE = "spouse", "házastárs"
    CHILD = "child", "gyermek"
    GRANDCHILD = "grandchild", "unoka"
    PARENT = "parent", "szülő"
    SIBLING = "sibling", "testvér"
    OTHER = "other", "más"


class Estate(models.Model):
    """The inventory of one estate. `due`: the last day for the handover; `declared`: totals in the citizen's form."""

    class State(models.TextChoices):
        OPEN = "open", "felvétel alatt"
        HANDED_OVER = "handed", "átadva a közjegyzőnek"
        CLOSED = "closed", "lezárva átadás nélkül"

    class Marital(models.TextChoices):
        SINGLE = "single", "nőtlen, hajadon"
        MARRIED = "married", "házas"
        PARTNER = "partner", "bejegyzett élettárs"
        DIVORCED = "divorced", "elvált"
        WIDOWED = "widowed", "özvegy"

    submission = models.UUIDField(unique=True, null=True, editable=False)
    number = models.CharField("iktatószám", max_length=40)
    reporter = models.CharField("nyilatkozó", max_length=200)
    reporter_relation = models.CharField(
        "a nyilatkozó kapcsolata az örökhagyóhoz", max_length=10, choices=Relation, blank=True
    )
    received_on = models.DateField("a tudomásszerzés napja", default=timezone.localdate)
    due = models.DateField("határidő", editable=False)
    name = models.CharField("az örökhagyó neve", max_length=200)
    birth_name = models.CharField("születési neve", max_length=200, blank=True)
    mother_name = models.CharField("anyja neve", max_length=200, blank=True)
    birth_place = models.CharField("születési helye", max_length=100, blank=True)
    born = models.DateField("születésének napja", null=True, blank=True)
    died = models.DateField("halálának napja")
    death_place = models.CharField("halálának helye", max_length=100, blank=True)
    address = models.CharField("utolsó lakóhelye", max_length=300)
    identifier = models.CharField("adóazonosító jele", max_length=20, blank=True, validators=[known_sign])
    marital = models.CharField("családi állapota", max_length=8, choices=Marital, blank=True)
    has_will = models.BooleanField("végrendeletről van tudomás", default=False)
    will = models.CharField("a végrendelet helye, adatai", max_length=500, blank=True)
    no_assets = models.BooleanField("nincs hagyatéki vagyon", default=False)
    remarks = models.TextField("megjegyzés", max_length=4000, blank=True)
    declared = models.JSONField(default=dict, editable=False)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN, editable=False)
    closed_by = models.CharField(max_length=120, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    reason = models.CharField("indok", max_length=1000, blank=True, editable=False)
    asked_for = models.CharField("hiánypótlás", max_length=1000, blank=True, editable=False)
    search_text = models.TextField(editable=False)
    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        db_table = "estate"
        ordering = ["due", "id"]
        constraints = [
            models.CheckConstraint(
                name="closed_when_closed",
                condition=Q(state="open", closed_at=None) | ~Q(state="open") & ~Q(closed_at=None),
            ),
            models.CheckConstraint(name="died_after_birth", condition=Q(born=None) | Q(died__gte=F("born"))),
        ]

    def save(self, **options) -> None:
        self.search_text = fold(f"{self.number} {self.name} {self.birth_name} {self.reporter}")
        super().save(**options)

    @property
    def overdue(self) -> bool:
        return self.state == self.State.OPEN and self.due < timezone.localdate()


class Part(models.Model):
    """A part of an estate; it can be changed only while the estate is open."""

    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


NO_SHARE = Q(share_part=None, share_whole=None)
BOTH = Q(share_part__isnull=False, share_whole__isnull=False)  # a check constraint does not refuse NULL
WHOLE_SHARE = Q(share_whole__gte=1, share_part__gte=1, share_part__lte=F("share_whole"))


class Heir(Part):
    """Somebody who inherits or may claim something."""

    class Basis(models.TextChoices):
        LAWFUL = "lawful", "törvényes örökös"
        WILL = "will", "végrendeleti örökös"
        LEGATEE = "legatee", "hagyományos"
        COMPULSORY = "compulsory", "kötelesrészre jogosult"

    estate = models.ForeignKey(Estate, on_delete=models.PROTECT, related_name="heirs")
    name = models.CharField("név", max_length=200)
    birth_name = models.CharField("születési név", max_length=200, blank=True)
    born = models.DateField("születés napja", null=True, blank=True)
    address = models.CharField("lakcím", max_length=300)
    relation = models.CharField("rokonsági kapcsolat", max_length=10, choices=Relation)
    basis = models.CharField("öröklés jogcíme", max_length=10, choices=Basis, default=Basis.LAWFUL)
    share_part = models.PositiveIntegerField("örökrész számlálója", null=True, blank=True)
    share_whole = models.PositiveIntegerField("örökrész nevezője", null=True, blank=True)
    minor = models.BooleanField("kiskorú", default=False)
    ward = models.BooleanField("gondnokság alatt áll", default=False)
    representative = models.CharField("törvényes képviselő", max_length=200, blank=True)

    class Meta:
        db_table = "heir"
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="share_of_estate", condition=NO_SHARE | WHOLE_SHARE & BOTH)]

    def __str__(self) -> str:
        return self.name


class Asset(Part):
    """Something that belonged to the deceased. `value`: of their share; None while unknown."""

    class Kind(models.TextChoices):
        REAL_ESTATE = "real_estate", "ingatlan"
        VEHICLE = "vehicle", "gépjármű"
        BANK = "bank", "bankszámla, megtakarítás"
        COMPANY = "company", "társasági részesedés, értékpapír"
        MOVABLES = "movables", "ingóság"
        OTHER = "other", "más vagyoni érték, követelés"

    estate = models.ForeignKey(Estate, on_delete=models.PROTECT, related_name="assets")
    kind = models.CharField("fajta", max_length=11, choices=Kind)
    description = models.CharField("megnevezés", max_length=2000)
    place = models.CharField("település, pénzintézet vagy cég", max_length=200, blank=True)
    reference = models.CharField("azonosító", max_length=60, blank=True)
    share_part = models.PositiveIntegerField("az örökhagyó hányadának számlálója", default=1)
    share_whole = models.PositiveIntegerField("az örökhagyó hányadának nevezője", default=1)
    value = ForintField("az örökhagyó hányadának értéke (Ft)", null=True, blank=True)

    class Meta:
        db_table = "asset"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="value_not_negative", condition=Q(value=None) | Q(value__gte=0)),
            models.CheckConstraint(name="share_of_asset", condition=WHOLE_SHARE),
        ]

    def __str__(self) -> str:
        return self.description


class Debt(Part):
    """A debt of the deceased or of the estate."""

    estate = models.ForeignKey(Estate, on_delete=models.PROTECT, related_name="debts")
    creditor = models.CharField("jogosult", max_length=2000)
    basis = models.CharField("jogcím", max_length=2000, blank=True)
    amount = ForintField("összeg (Ft)", null=True, blank=True)

    class Meta:
        db_table = "debt"
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="debt_positive", condition=Q(amount=None) | Q(amount__gt=0))]

    def __str__(self) -> str:
        return self.creditor


class Handover(models.Model):
    """An inventory as the notary received it. `package`: its bytes; `sha256`: of them, in hexadecimal."""

    class Way(models.TextChoices):
        ELECTRONIC = "electronic", "elektronikusan"
        POST = "post", "postán"
        PERSON = "person", "személyesen"

    estate = models.OneToOneField(Estate, on_delete=models.PROTECT, related_name="handover")
    notary = models.ForeignKey(Notary, on_delete=models.PROTECT, verbose_name="közjegyző")
    day = models.DateField("átadás napja", default=timezone.localdate)
    way = models.CharField("átadás módja", max_length=10, choices=Way)
    note = models.CharField("megjegyzés", max_length=500, blank=True)
    package = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "handover"


def is_minor(born: dt.date, day: dt.date) -> bool:
    """Whether somebody is under age on a day."""
    return (day.year - born.year - ((day.month, day.day) < (born.month, born.day))) < OF_AGE
