"""Tax returns that citizens sent, which wait for a clerk."""

from __future__ import annotations

from systems.ado.models import Return, Tax
from systems.chain import Message, Unacceptable, handles
from systems.exchange import cases

TAX_OF_FORM = {"hipa": "hipa"}  # electronic form → tax


@handles("case")
def case(message: Message) -> None:
    """Store a return for a clerk to decide, and tell the citizen who deals with it."""
    body, data = message.body, message.body["data"]
    if body["form"] not in TAX_OF_FORM:
        raise Unacceptable(f"form {body['form']!r} has no tax; forms with one: {', '.join(TAX_OF_FORM)}")
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
    cases.send_status(body["submission"], body["number"], "Az adóügyi ügyintéző megkapta a bevallást.")
