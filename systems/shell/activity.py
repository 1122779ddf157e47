"""The framework's business log: who changed what, when. Said by every system, kept by keret."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from systems.chain import send


def record(request: HttpRequest, action: str, subject: str) -> None:
    """One line, in the caller's transaction: `action` in Hungarian ("iktatás"), `subject` a number or id, no more."""
    say(request.clerk.username, request.clerk.name, action, subject)


def say(username: str, name: str, action: str, subject: str) -> None:
    """The same for what was not done by a clerk's request: a job, a message, an import."""
    body = {"username": username, "name": name, "action": action, "subject": subject, "at": timezone.now()}
    with transaction.atomic():
        send("keret", "activity", body, key=settings.ASP.system)
