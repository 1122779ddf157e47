"""Electronic forms come in, go on to the system that deals with them, and its decision goes out: one main number."""

from __future__ import annotations

import base64

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from systems import tenancy
from systems.chain import Message, handles, send
from systems.core import facts
from systems.irat.handling import admit, attach, settle
from systems.irat.models import Arrival, Case, Direction, Document, Incoming, Submission, Way, take_number
from systems.shell import activity

BY = "Elektronikus érkeztetés"
SECRET = ("ado", "hagyatek")  # assumed: tax secrecy (2017. évi CL. törvény), a family's affairs
ROBOT = "irat"  # who did it, where the business log wants a username


@handles("submission")
def submission(message: Message) -> None:
    """Book and register a citizen's form, tell them its numbers, hand it on to the system that deals with it."""
    body, applicant = message.body, message.body["applicant"]
    document = Document(
        sender=applicant["name"],
        subject=body["title"],
        arrival=Arrival.GATEWAY,
        received_on=timezone.localtime(parse_datetime(body["submitted_at"])).date(),
        registered_by=BY,
    )
    document.register()
    case = document.case
    case.system, case.restricted = body["target"] or "", body["target"] in SECRET
    case.save(update_fields=["system", "restricted"])
    item = Incoming.objects.create(
        number=take_number("ERK", timezone.localdate().year),
        sender=document.sender,
        subject=document.subject,
        arrival=document.arrival,
        received_on=document.received_on,
        booked_by=BY,
        document=document,
    )
    for file in body["attachments"]:
        attach(document, file["name"], file["type"], base64.b64decode(file["base64"], validate=True))
    target = body["target"] if body["target"] and _served(body["target"]) else ""
    Submission.objects.create(
        id=body["submission"],
        document=document,
        form=body["form"],
        target=target,
        applicant=applicant,
        data=body["data"],
        answers=body.get("answers", []),
    )
    activity.say(ROBOT, BY, "érkeztetés", item.number)
    activity.say(ROBOT, BY, "iktatás", document.number)
    _tell(body["submission"], "received", "", f"Az önkormányzat érkeztette a beadványt: {item.number}.")
    _tell(body["submission"], "registered", document.number, "Az önkormányzat iktatta a beadványt.")
    if target:
        whole = body | {"number": document.number, "registered_at": document.registered_at}
        send(target, "case", whole, key=body["submission"])


@handles("decision")
def decision(message: Message) -> None:
    """Register the decision of a system as the next document of the case, and tell the citizen."""
    body = message.body
    known = Submission.objects.select_for_update().select_related("document").get(pk=body["submission"])
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
        signed_by=body["decided_by"],
        # It goes back the way that the form came: nobody carries it to the post.
        dispatched_on=timezone.localdate(),
        dispatch_way=Way.GATEWAY,
        dispatched_by=BY,
    )
    document.register(admit(known.document.case_id, BY))
    paper = None
    if body.get("document"):
        content = base64.b64decode(body["document"], validate=True)
        name = f"dontes-{document.number.replace('/', '-')}.pdf"
        attach(document, name, "application/pdf", content)
        paper = {"name": name, "base64": body["document"]}
    known.state = Submission.State.DECIDED
    known.save(update_fields=["state"])
    case = Case.objects.select_for_update().get(pk=document.case_id)
    if case.state in (Case.State.OPEN, Case.State.ASSIGNED):
        settle(case, Case.Outcome.DECIDED, f"{message.source}: {document.number}", body["decided_by"])
    activity.say(ROBOT, body["decided_by"], "döntés iktatása", document.number)
    outcome = "decided" if body["outcome"] == "accepted" else "rejected"
    _tell(body["submission"], outcome, document.number, body["text"], paper)


def _tell(submission: str, status: str, number: str, text: str, paper: dict[str, str] | None = None) -> None:
    body = {"submission": submission, "status": status, "number": number, "text": text, "at": timezone.now()}
    body |= {"document": paper} if paper else {}
    send("elugy", "status", body, key=submission)


def _served(system: str) -> bool:
    """Whether the municipality has the system; what it lacks, its clerks deal with in the records system."""
    ksh = tenancy.current().ksh
    return any(entry.id == system and entry.serves(ksh) for entry in settings.ASP.catalogue)
