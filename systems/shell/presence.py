"""Presence: a session in use reports to the framework now and then, for its list of signed-in clerks."""

from __future__ import annotations

import time

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from systems.chain import send
from systems.core.clerk import KEY

EVERY = 600  # seconds between two messages of one session: about fifty in a clerk's day


def keep(request: HttpRequest) -> None:
    """Report that the signed-in clerk's session is in use, unless that was done a short time ago."""
    data, now = request.session[KEY], time.time()
    if now - data.get("told", data.get("since", now)) < EVERY:
        return
    with transaction.atomic():
        send("keret", "present", {"username": data["username"], "at": timezone.now()}, key=data["username"])
    request.session[KEY] = {**data, "told": now}
