"""Reports of other systems on a case's status, for the citizen to follow."""

from __future__ import annotations

import base64

from django.utils.dateparse import parse_datetime

from systems.chain import Message, Unacceptable, handles
from systems.elugy.models import Event, Status, Submission

RECORDS = "irat"


@handles("status")
def status(message: Message) -> None:
    """Store one step of a case. The latest one counts, but only a decision changes a finished case.

    Unacceptable from a system that does not deal with the case, or with a step that only the records system takes.
    """
    body = message.body
    submission = Submission.objects.select_for_update().get(pk=body["submission"], arrival_number__isnull=False)
    stage = Status(body["status"])
    if message.source != RECORDS and (message.source, stage) != (submission.definition.target, Status.IN_PROGRESS):
        raise Unacceptable(
            f"{message.source} says {stage.value!r} of a case that {submission.definition.target or 'no system'} deals "
            f"with; {RECORDS} may say anything of it, the other only {Status.IN_PROGRESS.value!r}"
        )
    number = body.get("number") or ""
    paper = body.get("document")
    Event.objects.create(
        submission=submission,
        status=stage,
        at=parse_datetime(body["at"]),
        number=number,
        text=body.get("text") or "",
        paper_name=paper["name"][:200] if paper else "",
        paper=base64.b64decode(paper["base64"], validate=True) if paper else None,
    )
    if not submission.finished or stage in (Status.DECIDED, Status.REJECTED):
        submission.status = stage
    submission.case_number = number[:60] or submission.case_number
    submission.save(update_fields=["status", "case_number"])
