"""What runs before every view: health for the edge's checks, the tenant, and the signed-in clerk."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from systems import tenancy
from systems.chain import relay
from systems.core import facts, logs, metrics, pages
from systems.core.clerk import KEY, Clerk
from systems.core.room import THREADS
from systems.shell import callers, presence

# PostgreSQL's GSSENCRequest, which the pooler declines with "N". An SSLRequest would do as well, but one without a
# handshake after it is a warning in the pooler's log, and each system is asked every two seconds.
GSS_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 48])


# Of the server's threads all but one, which is left for health. The edge sends no more; this holds without the edge.
GIVE_WAY = 0.2  # seconds: a request whose client has gone is counted here a little longer than at the edge
FREE = threading.BoundedSemaphore(THREADS - 1)


class Health:
    """`/healthz/live`: this process answers; `ready`: it also reaches its cell's pooler; `metrics`: its counters."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if refusal := callers.refusal_of_health(request):
            return refusal
        if request.path == "/healthz/live":
            return JsonResponse({"status": "live"})
        if request.path == "/healthz/ready":
            fault = _pooler_fault()
            return JsonResponse({"status": fault or "ready"}, status=503 if fault else 200)
        if request.path == "/healthz/metrics":
            content, content_type = metrics.text()
            return HttpResponse(content, content_type=content_type)
        if not FREE.acquire(timeout=GIVE_WAY):
            return HttpResponse(status=503, headers={"Retry-After": "1"})
        try:
            return self.get_response(request)
        finally:
            FREE.release()


def _pooler_fault() -> str | None:
    """Why the pooler cannot be used, or None. No tenant's database is tried: its fault is not the service's."""
    try:
        with socket.create_connection((settings.ASP.database_host, settings.ASP.database_port), timeout=2) as pooler:
            pooler.sendall(GSS_REQUEST)
            return None if pooler.recv(1) == b"N" else "pooler does not speak PostgreSQL's protocol"
    except OSError as error:
        return f"pooler: {error}"


class ServeTenant:
    """Serves the request for the tenant that the edge named, or refuses it."""

    def __init__(self, get_response):
        self.get_response = get_response
        # Chromium applies form-action to redirects after a form too: signing out, or in again, leads to the issuer.
        issuer = urlsplit(settings.ASP.issuer)
        self.policy = (
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
            f"form-action 'self' {issuer.scheme}://{issuer.netloc}"
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        headers, start = request.headers, time.monotonic()
        with logs.request(headers.get("Asp-Request-Id", "-"), headers.get("Asp-Tenant", "-")):
            response = self._serve(request)
            response.headers.setdefault("Content-Security-Policy", self.policy)
            response.headers.setdefault("Cache-Control", "no-store")  # pages show personal data, computers are shared
            seconds, system = time.monotonic() - start, settings.ASP.system
            metrics.answered(system, request.method, response.status_code, seconds)
            fields = {"status": response.status_code, "ms": round(seconds * 1000)}
            method = request.method if request.method in metrics.METHODS else metrics.OTHER
            logs.logger.info("%s %s", method, request.path, extra={"fields": fields})
            return response

    def _serve(self, request: HttpRequest) -> HttpResponse:
        entry, headers = settings.ASP.entry, request.headers
        for_this_system = request.path.startswith(f"/{entry.id}/")
        try:
            _only_from_edge(request)
            tenant = tenancy.of_request(
                headers.get("Asp-Tenant"),
                headers.get("Client-Cert"),
                certificate_needed=for_this_system and not entry.public,
            )
        except tenancy.Refusal as refusal:
            logs.logger.warning("refused: %s", refusal.cause)
            return pages.refusal(request, refusal.status)
        request.tenant = tenant
        if not entry.serves(tenant.ksh):
            return pages.not_installed(request, entry)
        relay.note_request(tenant.ksh)
        with tenancy.serving(tenant):
            return self.get_response(request)


def _only_from_edge(request: HttpRequest) -> None:
    """Refuse callers without the edge's certificate and hosts that are no tenant's: only the edge may name tenants."""
    names = callers.names(request)
    if settings.ASP.edge not in names:
        raise tenancy.Refusal(421, f"not from the edge: certificate of {', '.join(names) or 'nobody'}")
    try:
        request.get_host()
    except DisallowedHost:
        raise tenancy.Refusal(421, f"Host must be under {settings.ASP.domain}") from None


CLERKS_SIGN_IN = ("sign-in", "sign-in-complete")


class SignedIn:
    """Puts the clerk on the request; without one, a page of this system leads to sign-in.

    In a public system, pages that are open to all know the clerk too, and the municipality without a certificate.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        """Runs before anything reads the body; a view with `belongs_to` says itself whose request it takes."""
        public, open_to_all = settings.ASP.entry.public, getattr(view, "open_to_all", False)
        if request.tenant.bearer is None and request.resolver_match.view_name in CLERKS_SIGN_IN:
            return pages.clerks_only(request)  # beginning a sign-in writes a session: not for whoever comes by
        if public:
            request.municipality = facts.of_tenant().name
        elif open_to_all:
            return None
        request.clerk = Clerk.from_session(request)
        if request.clerk:
            presence.keep(request)
        elif cause := _foreign_session(request):
            logs.logger.warning("session refused: %s", cause)
        if open_to_all:
            mine = getattr(view, "belongs_to", None)
            if mine and request.method == "POST" and not mine(request):
                return pages.session_over(request)
            return None
        if request.clerk is None:
            if request.method not in ("GET", "HEAD"):
                return pages.session_over(request)
            return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
        if not request.clerk.roles_in(settings.ASP.system):
            logs.logger.warning("refused: no role in %s", settings.ASP.system)
            return pages.no_role(request)
        return None


def _foreign_session(request: HttpRequest) -> str | None:
    """What is wrong with the session cookie of a request without a clerk; None when a clerk's own session just ended.

    A browser sends neither an expired cookie (it lives as long as the session) nor another municipality's.
    """
    if not request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        return None
    data, bearer = request.session.get(KEY), request.tenant.bearer
    if request.session.session_key is None:
        return "no session of this municipality has that key"
    if data and (bearer is None or data["username"] != bearer.username):
        return "it belongs to another certificate"
    return None
