"""Statements about estates that citizens sent: each begins an inventory that a clerk continues."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from systems.chain import Message, Unacceptable, handles
from systems.exchange import cases
from systems.hagyatek import handing, statement
from systems.hagyatek.models import Asset, Debt, Heir

FORM = "hagyatek"  # the electronic form that this system handles


@handles("case")
def case(message: Message) -> None:
    """Begin an inventory from a statement, and tell the citizen who deals with it."""
    body, data = message.body, message.body["data"]
    if body["form"] != FORM:
        raise Unacceptable(f"form {body['form']!r}: not one of estates; only {FORM} is")
    estate = handing.begin(
        submission=body["submission"],
        number=body["number"],
        reporter=body["applicant"]["name"],
        reporter_relation=data["applicant_relation"],
        received_on=timezone.localtime(parse_datetime(body["submitted_at"])).date(),
        name=data["deceased_name"],
        birth_name=data["deceased_birth_name"],
        born=dt.date.fromisoformat(data["deceased_born"]),
        died=dt.date.fromisoformat(data["deceased_died"]),
        address=data["deceased_address"],
        identifier=data.get("deceased_identifier") or "",
        has_will=data["has_will"],
        remarks=data.get("remarks") or "",
        declared=statement.stated_totals(data),
    )
    Heir.objects.bulk_create(Heir(estate=estate, **vars(heir)) for heir in statement.heirs(data))
    Asset.objects.bulk_create(Asset(estate=estate, **asset) for asset in statement.assets(data))
    Debt.objects.bulk_create(Debt(estate=estate, **debt) for debt in statement.debts(data))
    cases.send_status(estate.submission, estate.number, "A hagyatéki ügyintéző megkapta a nyilatkozatot.")
