"""Tax returns that citizens sent: they wait for a clerk."""

from __future__ import annotations

from django.utils import timezone

from systems.ado.models import Return, Tax
from systems.chain import Message, handles, send

TAX_OF_FORM = {"hipa": "hipa"}  # electronic form → tax


@handles("case")
def case(message: Message) -> None:
    """Keep a return for a clerk to decide, and tell the citizen who has it."""
    body, data = message.body, message.body["data"]
    if body["form"] not in TAX_OF_FORM:
        raise LookupError(f"form {body['form']!r}: no tax is known for it; known: {', '.join(TAX_OF_FORM)}")
    Return.objects.create(
        submission=body["submission"],
        number=body["number"],
        tax=Tax.objects.get(code=TAX_OF_FORM[body["form"]]),
        identifier=data["taxpayer_identifier"],
        name=data["taxpayer_name"],
        address=data["taxpayer_address"],
        year=data["year"],
        base=data["tax_base"],
        applicant=body["applicant"]["name"],
    )
    told = {
        "submission": body["submission"],
        "status": "in-progress",
        "number": body["number"],
        "text": "Az adóügyi ügyintéző megkapta a bevallást.",
        "at": timezone.now(),
    }
    send("elugy", "status", told, key=body["submission"])
