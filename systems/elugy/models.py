"""What citizens fill in and submit: drafts, submissions with their receipts, attachments, the course of each case."""

from __future__ import annotations

import uuid

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from systems.core import parameters
from systems.elugy import catalogue
from systems.elugy.definition import Definition


class Parameter(parameters.Parameter):
    """Limits of drafts and attachments."""


class ArrivalBook(models.Model):
    """Arrival numbers of one year, from 1 without gaps: `last` is the last one issued."""

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
    """The status of a submission; all but the first come over the chain."""

    SUBMITTED = "submitted", "beküldve"
    RECEIVED = "received", "érkeztetve"
    REGISTERED = "registered", "iktatva"
    IN_PROGRESS = "in-progress", "ügyintézés alatt"
    DECIDED = "decided", "elintézve"
    REJECTED = "rejected", "elutasítva"


class Submission(models.Model):
    """A form of one citizen: a draft until it gets its arrival number; after that a trigger refuses changes.

    `identifier`: the citizen's tax identification sign; only that citizen and clerks ever see this row.
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
        return catalogue.get(self.form, self.version)

    @property
    def title(self) -> str:
        return self.definition.title

    @property
    def answers(self) -> dict:
        """Answers to the applicable questions."""
        return self.definition.applicable_answers(self.data)

    @property
    def sent(self) -> bool:
        return self.arrival_number is not None

    @property
    def finished(self) -> bool:
        return self.status in (Status.DECIDED, Status.REJECTED)


class Attachment(models.Model):
    """A file attached to a form."""

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
    """One step of a case, as reported over the chain. `paper`: a document that came with it, the decision."""

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
