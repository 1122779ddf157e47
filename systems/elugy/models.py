"""What citizens fill in and send: drafts, submissions with their receipts, attachments, and how each case goes on."""

from __future__ import annotations

import uuid

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from systems.elugy import catalogue
from systems.elugy.definition import Definition


class Parameter(models.Model):
    """A threshold with its source; `status` is assumed until a contract or decree says it."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.IntegerField()
    unit = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "parameter"

    @classmethod
    def of(cls, name: str) -> int:
        return cls.objects.values_list("value", flat=True).get(pk=name)


class ArrivalBook(models.Model):
    """Numbers of arrival of one year: `last` is the last one given out, from 1, no gaps."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField()

    class Meta:
        db_table = "arrival_book"

    @staticmethod
    def next_number(year: int) -> str:
        """The next arrival number, `EU/<year>/<n>`; the row stays locked until the caller's transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO arrival_book (year, last) VALUES (%s, 1) "
                "ON CONFLICT (year) DO UPDATE SET last = arrival_book.last + 1 RETURNING last",
                [year],
            )
            (last,) = cursor.fetchone()
        return f"EU/{year}/{last}"


class Status(models.TextChoices):
    """Where a submission stands; all but the first come over the chain."""

    SUBMITTED = "submitted", "beküldve"
    RECEIVED = "received", "érkeztetve"
    REGISTERED = "registered", "iktatva"
    IN_PROGRESS = "in-progress", "ügyintézés alatt"
    DECIDED = "decided", "elintézve"
    REJECTED = "rejected", "elutasítva"


class Submission(models.Model):
    """A form of one citizen. A draft until it gets its arrival number; after that a trigger lets nobody change it.

    `identifier`: the citizen's tax identification sign; nobody else is ever shown this row but the clerks.
    `revision`: counts the changes of a draft, so that two windows do not overwrite each other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    form = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField()
    identifier = models.CharField(max_length=10)
    name = models.CharField(max_length=120)
    email = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    arrival_number = models.CharField("érkeztetési azonosító", max_length=20, unique=True, null=True)
    submitted_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=12, choices=Status, blank=True)
    case_number = models.CharField("iktatószám", max_length=60, blank=True)

    class Meta:
        db_table = "submission"
        indexes = [
            models.Index(fields=["identifier", "-updated_at"], name="submission_of_citizen"),
            models.Index(fields=["-submitted_at"], name="submission_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                name="draft_or_sent",
                condition=Q(arrival_number=None, submitted_at=None, status="")
                | Q(arrival_number__isnull=False, submitted_at__isnull=False, status__in=Status.values),
            ),
        ]

    @property
    def definition(self) -> Definition:
        return catalogue.of(self.form, self.version)

    @property
    def title(self) -> str:
        return self.definition.title

    @property
    def answers(self) -> dict:
        """Answers to what applies."""
        return self.definition.kept(self.data)

    @property
    def sent(self) -> bool:
        return self.arrival_number is not None

    @property
    def finished(self) -> bool:
        return self.status in (Status.DECIDED, Status.REJECTED)


class Attachment(models.Model):
    """A file that goes with a form."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        db_table = "attachment"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(name="attachment_once", fields=["submission", "sha256"])]


class Event(models.Model):
    """One step of a case, as it was told over the chain. `paper`: a document that came with it: the decision."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="events")
    status = models.CharField(max_length=12, choices=Status)
    at = models.DateTimeField()
    number = models.CharField(max_length=60, blank=True)
    text = models.TextField(blank=True)
    paper_name = models.CharField(max_length=200, blank=True)
    paper = models.BinaryField(null=True)

    class Meta:
        db_table = "event"
        ordering = ["at", "id"]
