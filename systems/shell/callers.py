"""Who is at the other end of a connection, by its certificate: any of the hosting's root gets as far as this."""

from __future__ import annotations

import socket

from django.conf import settings
from django.http import HttpRequest, JsonResponse

HEALTH = "/healthz/"


def names(request: HttpRequest) -> list[str]:
    """Service names in the caller's certificate; none without one."""
    connection = request.environ.get("gunicorn.socket")
    certificate = connection.getpeercert() if hasattr(connection, "getpeercert") else None
    return [value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "DNS"]


def refusal_of_health(request: HttpRequest) -> JsonResponse | None:
    """The answer to who asks after this service's health or counters and is neither the edge nor the service itself.

    Another app server's certificate is of the same root; what a neighbour counts is no business of a compromised one.
    """
    if not request.path.startswith(HEALTH) or {settings.ASP.edge, socket.gethostname()} & set(names(request)):
        return None
    return JsonResponse({"status": "health is told to the edge and to the service itself only"}, status=403)
