"""The framework's business log: who changed what, when. Every system reports to it, keret stores it."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from systems.chain import send


def record(request: HttpRequest, action: str, subject: str) -> None:
    """Log one line in the caller's transaction: `action` in Hungarian ("iktatás"), `subject` only a number or id."""
    record_for(request.clerk.username, request.clerk.name, action, subject)


def record_for(username: str, name: str, action: str, subject: str) -> None:
    """The same for what no clerk's request did: a job, a message, an import."""
    body = {"username": username, "name": name, "action": action, "subject": subject, "at": timezone.now()}
    with transaction.atomic():
        send("keret", "activity", body, key=settings.ASP.system)
