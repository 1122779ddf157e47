"""From draft to arrival: the one transaction in which a form gets its number, is sealed and goes to records."""

from __future__ import annotations

import base64
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from systems.chain import send
from systems.elugy.forms import complete
from systems.elugy.models import ArrivalBook, Event, Status, Submission


class Incomplete(Exception):
    """A form cannot be sent yet; `steps` are the titles of those that lack something."""

    def __init__(self, steps: list[str]):
        self.steps = steps
        super().__init__(", ".join(steps))


def missing(submission: Submission) -> list[str]:
    """Titles of steps that lack something."""
    answers = submission.answers
    return [step.title for step in submission.definition.path(answers) if not complete(step, answers)]


@transaction.atomic
def submit(pk: UUID, identifier: str) -> Submission:
    """Send a citizen's draft; the same submission when it was sent before. Incomplete, or Submission.DoesNotExist."""
    submission = Submission.objects.select_for_update().get(pk=pk, identifier=identifier)
    if submission.sent:
        return submission
    if lacking := missing(submission):
        raise Incomplete(lacking)
    now = timezone.now()
    submission.data, submission.status = submission.answers, Status.SUBMITTED
    submission.arrival_number = ArrivalBook.next_number(timezone.localdate().year)
    submission.submitted_at = submission.updated_at = now
    submission.save()
    Event.objects.create(submission=submission, status=Status.SUBMITTED, at=now, number=submission.arrival_number)
    send("irat", "submission", message(submission), key=str(submission.pk))
    return submission


def message(submission: Submission) -> dict:
    """What records is told (docs/systems.md)."""
    definition, data = submission.definition, submission.data
    return {
        "submission": str(submission.pk),
        "form": submission.form,
        "title": definition.title,
        "applicant": {
            "name": submission.name,
            "identifier": submission.identifier,
            "email": submission.email,
            "address": data.get("address", ""),
        },
        "data": data,
        "answers": [
            {"title": step.title, "answers": [[asked.label, shown] for asked, shown in answers]}
            for step, answers in definition.answered(data)
        ],
        "target": definition.target,
        "submitted_at": submission.submitted_at,
        "attachments": [
            {"name": file.name, "type": file.type, "base64": base64.b64encode(file.content).decode()}
            for file in submission.attachments.all()
        ],
    }
