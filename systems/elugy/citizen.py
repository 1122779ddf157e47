"""The citizen who is signed in, as the session remembers them; never a clerk, whatever else the session holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from systems.core import pages
from systems.shell.sign_in import open_to_all

KEY = "citizen"
LONGEST = 2 * 3600  # seconds; as long as the realm's own session at most


@dataclass(frozen=True)
class Citizen:
    """`identifier`: the tax identification sign, to which everything of theirs is bound."""

    identifier: str
    name: str
    email: str
    id_token: str

    @classmethod
    def of(cls, request: HttpRequest) -> Citizen | None:
        """Who is signed in to this session."""
        data = request.session.get(KEY)
        if not data or data["until"] < time.time():
            return None
        return cls(data["identifier"], data["name"], data["email"], data["id_token"])

    def remember(self, request: HttpRequest) -> None:
        """Begin a session of theirs with nothing else in it; its key is a new one."""
        request.session.flush()
        request.session[KEY] = {**asdict(self), "until": int(time.time()) + LONGEST}


def citizens(view: Callable) -> Callable:
    """Only for citizens who are signed in; others are led to their sign-in, or told that they are not signed in."""

    @open_to_all
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        request.citizen = Citizen.of(request)
        if request.citizen:
            return view(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            return pages.session_over(request)
        return redirect(f"{reverse('elugy:sign-in')}?{urlencode({'next': request.get_full_path()})}")

    return guarded
