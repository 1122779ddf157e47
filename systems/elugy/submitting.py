"""From draft to arrival: one transaction in which a form gets its number, is sealed and goes to records."""

from __future__ import annotations

import base64
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from systems.chain import send
from systems.elugy.forms import complete
from systems.elugy.models import ArrivalBook, Event, Status, Submission


class Incomplete(Exception):
    """A form cannot be submitted yet; `steps` are the titles of its incomplete steps."""

    def __init__(self, steps: list[str]):
        self.steps = steps
        super().__init__(", ".join(steps))


def incomplete_steps(submission: Submission) -> list[str]:
    """Titles of incomplete steps."""
    answers = submission.answers
    return [step.title for step in submission.definition.path(answers) if not complete(step, answers)]


@transaction.atomic
def submit(pk: UUID, identifier: str) -> Submission:
    """Submit a citizen's draft, once; raises Incomplete or Submission.DoesNotExist."""
    submission = Submission.objects.select_for_update().get(pk=pk, identifier=identifier)
    if submission.sent:
        return submission
    if titles := incomplete_steps(submission):
        raise Incomplete(titles)
    now = timezone.now()
    submission.data, submission.status = submission.answers, Status.SUBMITTED
    submission.arrival_number = ArrivalBook.next_number(timezone.localdate().year)
    submission.submitted_at = submission.updated_at = now
    submission.save()
    Event.objects.create(submission=submission, status=Status.SUBMITTED, at=now, number=submission.arrival_number)
    send("irat", "submission", message(submission), key=str(submission.pk))
    return submission


def message(submission: Submission) -> dict:
    """The message to the records system (docs/systems.md)."""
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
            {"title": step.title, "answers": [[question.label, text] for question, text in answers]}
            for step, answers in definition.answers(data)
        ],
        "target": definition.target,
        "submitted_at": submission.submitted_at,
        "attachments": [
            {"name": file.name, "type": file.type, "base64": base64.b64encode(file.content).decode()}
            for file in submission.attachments.all()
        ],
    }
