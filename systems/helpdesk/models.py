"""Faults and requests that clerks report, with the clock of the service agreement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from systems.core import parameters
from systems.shared import workdays


class Parameter(parameters.Parameter):
    """Minutes of opening hours within which a ticket must be solved, and the largest file."""


class Ticket(models.Model):
    """One report. Its number is `HB/<year>/<n>`, without gaps."""

    class Kind(models.TextChoices):
        FAULT = "fault", "Hiba"
        REQUEST = "request", "Igény"

    class Reach(models.TextChoices):
        """How many people it affects, which decides how soon it must be repaired."""

        OUTAGE = "outage", "Senki sem tud dolgozni"
        HINDERED = "hindered", "Egy munkafolyamat akadozik vagy áll"
        MINOR = "minor", "Zavaró, de dolgozni lehet"

    class State(models.TextChoices):
        OPEN = "open", "Beérkezett"
        WORKING = "working", "Dolgozunk rajta"
        WAITING = "waiting", "Bejelentőre vár"
        SOLVED = "solved", "Megoldva"
        CLOSED = "closed", "Lezárva"

    number = models.CharField("hivatkozási szám", max_length=20, unique=True, editable=False)
    kind = models.CharField("mit jelent be", max_length=8, choices=Kind, default=Kind.FAULT)
    reach = models.CharField("mekkora a gond", max_length=8, choices=Reach, default=Reach.HINDERED)
    service = models.CharField("melyik rendszerben", max_length=20)
    happened_at = models.DateTimeField("mikor tapasztalta")
    error = models.CharField("hibaüzenet vagy hibakód", max_length=300, blank=True)
    description = models.TextField("mi történt", max_length=4000)
    contact = models.CharField("elérhetőség", max_length=120)
    case_ids = models.CharField("fizetésnél mindkét ügy azonosítója", max_length=120, blank=True)
    form_code = models.CharField("űrlapnál az űrlap kódja", max_length=40, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    file = models.BinaryField(null=True)
    token = models.UUIDField(unique=True, editable=False)
    reported_at = models.DateTimeField(default=timezone.now)
    username = models.CharField(max_length=60)
    name = models.CharField("bejelentő", max_length=120)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    solved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ticket"
        ordering = ["-reported_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="solved_when_solved",
                condition=models.Q(state__in=["solved", "closed"], solved_at__isnull=False)
                | (~models.Q(state__in=["solved", "closed"]) & models.Q(solved_at=None)),
            )
        ]

    def report(self) -> None:
        """Give the ticket its number and save it, whole or not at all."""
        year = timezone.localdate().year
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO counter (year, last) VALUES (%s, 1) "
                "ON CONFLICT (year) DO UPDATE SET last = counter.last + 1 RETURNING last",
                [year],
            )
            self.number = f"HB/{year}/{cursor.fetchone()[0]}"
            self.save(force_insert=True)
            Step.objects.create(ticket=self, at=self.reported_at, state=self.state, name=self.name, text="")

    def clock(self, minutes: Mapping[str, int]) -> Clock:
        """The clock of the agreement: time used and allowed. Waiting for the reporter stops it.

        `minutes`: by reach (`allowances`).
        """
        allowance = dt.timedelta(minutes=minutes[self.reach])
        used, running_since, hours = dt.timedelta(), None, settings.ASP.opening_hours
        for step in self.steps.all():
            stops = step.state in (self.State.WAITING, self.State.SOLVED, self.State.CLOSED)
            if running_since and stops:
                used += workdays.open_time(running_since, step.at, hours)
                running_since = None
            elif not running_since and not stops:
                running_since = step.at
        now = timezone.now()
        if running_since:
            used += workdays.open_time(running_since, now, hours)
        remaining = allowance - used
        due = workdays.due(now, remaining, hours) if running_since and remaining > dt.timedelta() else None
        return Clock(allowance, used, due, running_since is not None)


def allowances() -> dict[str, int]:
    """Minutes of opening hours within which a ticket must be solved, by its reach.

    For an outage the register's value (`sla.yaml`, rto); for what no clause of the agreement names, this system's own.
    """
    minutes = dict(Parameter.objects.filter(name__startswith="repair_").values_list("name", "value"))
    return {
        Ticket.Reach.OUTAGE: settings.ASP.outage_minutes,
        Ticket.Reach.HINDERED: minutes["repair_hindered"],
        Ticket.Reach.MINOR: minutes["repair_minor"],
    }


class Clock:
    """Opening time used and allowed; `due`: when it will be used up, None when the clock stands or time is over."""

    def __init__(self, allowance: dt.timedelta, used: dt.timedelta, due: dt.datetime | None, running: bool):
        self.allowance, self.used, self.due, self.running = allowance, used, due, running

    @property
    def over(self) -> bool:
        return self.used > self.allowance

    @property
    def used_minutes(self) -> int:
        return int(self.used.total_seconds() // 60)

    @property
    def allowed_minutes(self) -> int:
        return int(self.allowance.total_seconds() // 60)

    @property
    def remaining_minutes(self) -> int:
        return self.allowed_minutes - self.used_minutes

    @property
    def over_minutes(self) -> int:
        return -self.remaining_minutes


class Step(models.Model):
    """A step of a ticket: a new state, a message, or both. Steps are never changed or deleted."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=Ticket.State)
    name = models.CharField(max_length=120)
    text = models.TextField("üzenet", max_length=4000, blank=True)

    class Meta:
        db_table = "step"
        ordering = ["at", "id"]


class Counter(models.Model):
    """The last ticket number issued in a year."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField()

    class Meta:
        db_table = "counter"
