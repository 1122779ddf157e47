"""Reports of other systems on a case's status, for the citizen to follow."""

from __future__ import annotations

import base64

from django.utils.dateparse import parse_datetime

from systems.chain import Message, handles
from systems.elugy.models import Event, Status, Submission


@handles("status")
def status(message: Message) -> None:
    """Store one step of a case. The latest one counts, but only a decision changes a finished case."""
    body = message.body
    submission = Submission.objects.select_for_update().get(pk=body["submission"], arrival_number__isnull=False)
    stage = Status(body["status"])
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
