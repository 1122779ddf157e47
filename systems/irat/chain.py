"""Electronic forms come in, go on to the system that deals with them, and its decision goes out: one main number."""

from __future__ import annotations

import base64
import hashlib

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from systems import tenancy
from systems.chain import Message, handles, send
from systems.core import activity, facts
from systems.irat.models import Arrival, Attachment, Direction, Document, Submission

BY = "Elektronikus érkeztetés"
ROBOT = "irat"  # who did it, where the business log wants a username


@handles("submission")
def submission(message: Message) -> None:
    """Register a citizen's form, tell them its number, and hand it on to the system that deals with it."""
    body, applicant = message.body, message.body["applicant"]
    document = Document(
        sender=applicant["name"],
        subject=body["title"],
        arrival=Arrival.GATEWAY,
        received_on=timezone.localtime(parse_datetime(body["submitted_at"])).date(),
        registered_by=BY,
    )
    document.register()
    for file in body["attachments"]:
        _attach(document, file["name"], file["type"], file["base64"])
    target = body["target"] if body["target"] and _served(body["target"]) else ""
    Submission.objects.create(
        id=body["submission"],
        document=document,
        form=body["form"],
        target=target,
        applicant=applicant,
        data=body["data"],
    )
    activity.say(ROBOT, BY, "iktatás", document.number)
    _tell(body["submission"], "registered", document.number, "Az önkormányzat iktatta a beadványt.")
    if target:
        case = body | {"number": document.number, "registered_at": document.registered_at}
        send(target, "case", case, key=body["submission"])


@handles("decision")
def decision(message: Message) -> None:
    """Register the decision of a system as the next document of the case, and tell the citizen."""
    body = message.body
    known = Submission.objects.select_for_update().select_related("document__case__register").get(pk=body["submission"])
    if message.source != known.target:
        raise ValueError(f"decision of {message.source} on a case of {known.target or 'nobody'}")
    document = Document(
        direction=Direction.OUT,
        sender=facts.of_tenant().name,
        addressee=known.applicant["name"],
        subject=f"Döntés: {known.document.subject}",
        arrival=Arrival.GATEWAY,
        received_on=timezone.localdate(),
        note=body["text"],
        registered_by=body["decided_by"],
    )
    document.register(known.document.case)
    if body.get("document"):
        _attach(document, f"dontes-{document.number.replace('/', '-')}.pdf", "application/pdf", body["document"])
    known.state = Submission.State.DECIDED
    known.save(update_fields=["state"])
    activity.say(ROBOT, body["decided_by"], "döntés iktatása", document.number)
    _tell(body["submission"], "decided" if body["outcome"] == "accepted" else "rejected", document.number, body["text"])


def _attach(document: Document, name: str, content_type: str, encoded: str) -> None:
    content = base64.b64decode(encoded, validate=True)
    Attachment.objects.create(
        document=document,
        name=name[:200],
        content_type=content_type[:100],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _tell(submission: str, status: str, number: str, text: str) -> None:
    body = {"submission": submission, "status": status, "number": number, "text": text, "at": timezone.now()}
    send("elugy", "status", body, key=submission)


def _served(system: str) -> bool:
    """Whether the municipality has the system; what it lacks, its clerks deal with in the records system."""
    ksh = tenancy.current().ksh
    return any(entry.id == system and entry.serves(ksh) for entry in settings.ASP.catalogue)
