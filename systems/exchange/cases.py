"""What a system that deals with a citizen's case sends over the chain: its status, and the decision.

The status goes to `elugy`, where the citizen follows the case; the decision goes to `irat`, which registers it and
tells the citizen. All functions send in the caller's transaction. A case that began on paper has no submission, and
nothing is sent for it.
"""

from __future__ import annotations

import base64
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone

from systems.chain import send


class Case(Protocol):
    """A row that began as a citizen's form, or on paper (`submission` is None). `asked_for`: what is missing."""

    submission: UUID | None
    number: str
    asked_for: str

    def save(self) -> None: ...


def send_status(
    submission: UUID | str | None,
    number: str,
    text: str,
    status: str = "in-progress",
    paper: dict[str, str] | None = None,
) -> None:
    """Tell the citizen where the case stands. `paper`: name and base64 of a document that comes with it."""
    if submission is None:
        return
    body: dict[str, Any] = {
        "submission": str(submission),
        "status": status,
        "number": number,
        "text": text,
        "at": timezone.now(),
    }
    if paper:
        body["document"] = paper
    send("elugy", "status", body, key=str(submission))


def ask_for(case: Case, missing: str) -> None:
    """Note what is missing from a case, and ask the citizen for it."""
    case.asked_for = missing
    case.save()
    send_status(case.submission, case.number, f"Hiánypótlás szükséges: {missing}")


def send_decision(
    submission: UUID | None, number: str, outcome: str, text: str, clerk: str, document: bytes | None = None
) -> None:
    """Send the decision to the records system. `outcome`: accepted or rejected; `document`: the decision as PDF."""
    if submission is None:
        return
    body = {
        "submission": str(submission),
        "number": number,
        "outcome": outcome,
        "text": text,
        "decided_by": clerk,
        "document": base64.b64encode(document).decode() if document else None,
    }
    send("irat", "decision", body, key=str(submission))
