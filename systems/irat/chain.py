"""Electronic forms arrive, go on to the system that deals with them, and its decision goes out, in one case."""

from __future__ import annotations

import base64

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from systems import tenancy
from systems.chain import Message, Unacceptable, handles, send
from systems.core import facts
from systems.exchange import cases
from systems.irat.handling import admit, attach, settle
from systems.irat.models import Arrival, Case, Direction, Document, Incoming, Submission, Way, take_number
from systems.shell import activity

BY = "Elektronikus érkeztetés"
SECRET = ("ado", "hagyatek")  # assumed: tax secrecy (2017. évi CL. törvény), family affairs
ROBOT = "irat"  # the username in the business log


@handles("submission")
def submission(message: Message) -> None:
    """Book and register a citizen's form, send them its numbers, and pass it on to the system that deals with it."""
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
    target = body["target"] if _has_system(body["target"]) else ""
    Submission.objects.create(
        id=body["submission"],
        document=document,
        form=body["form"],
        target=target,
        applicant=applicant,
        data=body["data"],
        answers=body.get("answers", []),
    )
    activity.record_for(ROBOT, BY, "érkeztetés", item.number)
    activity.record_for(ROBOT, BY, "iktatás", document.number)
    cases.send_status(
        body["submission"], "", f"Az önkormányzat érkeztette a beadványt: {item.number}.", status="received"
    )
    cases.send_status(body["submission"], document.number, "Az önkormányzat iktatta a beadványt.", status="registered")
    if target:
        case_body = body | {"number": document.number, "registered_at": document.registered_at}
        send(target, "case", case_body, key=body["submission"])


@handles("decision")
def decision(message: Message) -> None:
    """Register a system's decision as the next document of the case, and notify the citizen."""
    body = message.body
    submission = Submission.objects.select_for_update().select_related("document").get(pk=body["submission"])
    if message.source != submission.target:
        raise Unacceptable(f"decision of {message.source} on a case of {submission.target or 'no system'}")
    document = Document(
        direction=Direction.OUT,
        sender=facts.of_tenant().name,
        addressee=submission.applicant["name"],
        subject=f"Döntés: {submission.document.subject}",
        arrival=Arrival.GATEWAY,
        received_on=timezone.localdate(),
        note=body["text"],
        registered_by=body["decided_by"],
        signed_by=body["decided_by"],
        # It goes back electronically, the way the form came.
        dispatched_on=timezone.localdate(),
        dispatch_way=Way.GATEWAY,
        dispatched_by=BY,
    )
    document.register(admit(submission.document.case_id, BY))
    paper = None
    if body.get("document"):
        content = base64.b64decode(body["document"], validate=True)
        name = f"dontes-{document.number.replace('/', '-')}.pdf"
        attach(document, name, "application/pdf", content)
        paper = {"name": name, "base64": body["document"]}
    submission.state = Submission.State.DECIDED
    submission.save(update_fields=["state"])
    case = Case.objects.select_for_update().get(pk=document.case_id)
    if case.state in (Case.State.OPEN, Case.State.ASSIGNED):
        settle(case, Case.Outcome.DECIDED, f"{message.source}: {document.number}", body["decided_by"])
    activity.record_for(ROBOT, body["decided_by"], "döntés iktatása", document.number)
    outcome = "decided" if body["outcome"] == "accepted" else "rejected"
    cases.send_status(body["submission"], document.number, body["text"], status=outcome, paper=paper)


def _has_system(system: str | None) -> bool:
    """Whether the municipality has a system; forms for none, or for one that it lacks, stay in the records system."""
    ksh = tenancy.current().ksh
    return any(entry.id == system and entry.serves(ksh) for entry in settings.ASP.catalogue)
