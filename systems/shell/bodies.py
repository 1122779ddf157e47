"""What a request may bring: judged before anything reads its body, and read only for whom the page is.

Order in the settings: `Request` before sessions, `Body` after sign-in and before the CSRF token is looked for, because
that reads the body.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from django.core.exceptions import SuspiciousOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from systems.core import logs, pages
from systems.core.metrics import METHODS
from systems.core.room import ROOM, NoRoom
from systems.shared import bodies

LONGEST_NUMBER = 18  # digits of a length; int refuses thousands of them
DISCARDED = 2  # times the largest body of the page: who sends more than that is cut off
DISCARD_SECONDS = 5
NUL = ("\0", "%00")


class Request:
    """Refuses methods that no page has, NUL anywhere, and bodies that are too large or of unknown size."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._judge(request)
        if request.method == "POST" and not request._read_started:
            _discard(request)
        return response

    def _judge(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return pages.wrong_method(request)
        if any(sign in request.META.get("QUERY_STRING", "") or sign in request.path for sign in NUL):
            return pages.bad_request(request)
        length, limit = request.META.get("CONTENT_LENGTH") or "", bodies.largest(request.path)
        if not length and "HTTP_TRANSFER_ENCODING" in request.META:
            return pages.no_length(request)
        if length and not (length.isascii() and length.isdecimal()):
            return pages.bad_request(request)
        if len(length) > LONGEST_NUMBER or int(length or 0) > limit:
            logs.logger.warning("body refused: %s bytes, at most %d", length[:20], limit)
            return pages.too_large(request, bodies.upload(request.path))
        return self.get_response(request)


def _discard(request: HttpRequest) -> None:
    """Take a body that nobody read from the connection: a browser that still sends sees a reset, and no answer."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    remaining = int(length) if length.isdecimal() and len(length) <= LONGEST_NUMBER else 0
    connection, stream = request.META.get("gunicorn.socket"), request.META["wsgi.input"]
    if remaining > DISCARDED * bodies.largest(request.path) or not hasattr(connection, "settimeout"):
        return
    deadline = time.monotonic() + DISCARD_SECONDS
    try:
        while remaining > 0 and (seconds := deadline - time.monotonic()) > 0:
            connection.settimeout(seconds)
            remaining -= len(stream.read(min(remaining, 64 * bodies.KIB))) or remaining
        connection.settimeout(None)
    except OSError:
        return  # too slow, or gone: gunicorn closes the connection


class Body:
    """Reads the body of a POST, refuses NUL in it, and keeps uploads within the memory that there is."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as request.held:
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        if request.method != "POST":
            return None
        large = bodies.upload(request.path) is not None
        try:
            if large:
                request.held.enter_context(ROOM.body(int(request.META.get("CONTENT_LENGTH") or 0)))
            form, files = request.POST, request.FILES
            if large:
                request.held.enter_context(ROOM.work())
                # The database client's buffer stays as large as the largest statement for as long as it lives.
                request.held.callback(connection.close)
        except (UnreadablePostError, SuspiciousOperation, MultiPartParserError) as error:
            logs.logger.warning("body refused: %s", type(error).__name__)  # gone, too slow, too many fields, malformed
            return pages.bad_request(request)
        except NoRoom:
            return pages.busy(request)
        texts = [text for name, values in form.lists() for text in (name, *values)]
        texts += [text for name, values in files.lists() for text in (name, *(file.name for file in values))]
        return pages.bad_request(request) if any("\0" in text for text in texts) else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return pages.busy(request) if isinstance(exception, NoRoom) else None
