"""Notifications of trades that citizens sent, which wait for a clerk."""

from __future__ import annotations

import datetime as dt

from systems.chain import Message, Unacceptable, handles
from systems.exchange import cases
from systems.iparker.models import Notification, Trade

FORM = "kereskedelem"  # the electronic form that this system handles


@handles("case")
def case(message: Message) -> None:
    """Store a notification for a clerk to decide, and tell the citizen who deals with it."""
    body, data = message.body, message.body["data"]
    if body["form"] != FORM:
        raise Unacceptable(f"form {body['form']!r}: not one of trades; only {FORM} is")
    shop = data["form"] == Trade.Form.SHOP
    notification = Notification.objects.create(
        submission=body["submission"],
        number=body["number"],
        applicant=body["applicant"]["name"],
        trader_name=data["trader_name"],
        trader_identifier=data["trader_identifier"],
        trader_address=data["trader_address"],
        activity=data["activity"],
        form=data["form"],
        shop_name=data["shop_name"] if shop else "",
        site=data["shop_address"] if shop else data["place"],
        floor_area=data["floor_area"] if shop else None,
        opening_hours=data["opening_hours"] if shop else "",
        alcohol=data["alcohol"] if shop else False,
        since=dt.date.fromisoformat(data["since"]),
    )
    cases.send_status(notification.submission, notification.number, "A kereskedelmi ügyintéző megkapta a bejelentést.")
