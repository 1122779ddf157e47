"""The citizen who is signed in, as the session remembers them. A citizen is never a clerk."""

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
LONGEST = 2 * 3600  # seconds; no longer than the realm's own session


@dataclass(frozen=True)
class Citizen:
    """`identifier`: the tax identification sign, by which all of their data is found."""

    identifier: str
    name: str
    email: str
    id_token: str

    @classmethod
    def from_session(cls, request: HttpRequest) -> Citizen | None:
        """Who is signed in to this session."""
        data = request.session.get(KEY)
        if not data or data["until"] < time.time():
            return None
        return cls(data["identifier"], data["name"], data["email"], data["id_token"])

    def remember(self, request: HttpRequest) -> None:
        """Begin an empty session of the citizen, with a new session key."""
        request.session.flush()
        request.session[KEY] = {**asdict(self), "until": int(time.time()) + LONGEST}


def citizens(view: Callable) -> Callable:
    """Let only signed-in citizens reach the view; others are sent to sign in, or told that their session is over."""

    @open_to_all
    @wraps(view)
    def wrapper(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        request.citizen = Citizen.from_session(request)
        if request.citizen:
            return view(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            return pages.session_over(request)
        return redirect(f"{reverse('elugy:sign-in')}?{urlencode({'next': request.get_full_path()})}")

    wrapper.belongs_to = Citizen.from_session  # asked before the body is read
    return wrapper
