"""What stands before every view: health for the edge's checks, the tenant, and a signed-in clerk."""

from __future__ import annotations

import socket

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from systems import tenancy
from systems.core import logs, pages
from systems.core.clerk import Clerk

SSL_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 47])  # PostgreSQL's "may I speak TLS?"; the answer is one byte, S
POLICY = "default-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Health:
    """`/healthz/live`: this process answers. `/healthz/ready`: it also reaches its cell's pooler."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz/live":
            return JsonResponse({"status": "live"})
        if request.path == "/healthz/ready":
            fault = _pooler_fault()
            return JsonResponse({"status": fault or "ready"}, status=503 if fault else 200)
        return self.get_response(request)


def _pooler_fault() -> str | None:
    """Why the pooler cannot be used, or None. No tenant is asked: one tenant's fault is not the service's."""
    try:
        with socket.create_connection((settings.ASP.database_host, settings.ASP.database_port), timeout=2) as pooler:
            pooler.sendall(SSL_REQUEST)
            return None if pooler.recv(1) == b"S" else "pooler does not speak TLS"
    except OSError as error:
        return f"pooler: {error}"


class ServeTenant:
    """Everything after this works for the tenant that the edge named, or is refused."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        own = request.path.startswith(f"/{settings.ASP.system}/")
        needed = own and not settings.ASP.entry.public
        with logs.request(headers.get("Asp-Request-Id", "-"), headers.get("Asp-Tenant", "-")):
            try:
                tenant = tenancy.of_request(headers.get("Asp-Tenant"), headers.get("Client-Cert"), needed)
            except tenancy.Refused as refusal:
                logs.logger.warning("refused: %s", refusal.cause)
                return pages.refused(request, refusal.status)
            with tenancy.serving(tenant):
                request.tenant = tenant
                response = self.get_response(request)
                response.headers.setdefault("Content-Security-Policy", POLICY)
                logs.logger.info("%s %s %s", request.method, request.path, response.status_code)
                return response


class SignedIn:
    """Puts the clerk on the request; a page of this system without one leads to sign-in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        if getattr(view, "open_to_all", False):
            return None
        request.clerk = Clerk.of(request)
        if request.clerk is None:
            return redirect(f"{reverse('sign-in')}?{pages.urlencode({'next': request.get_full_path()})}")
        if not request.clerk.roles_in(settings.ASP.system):
            logs.logger.warning("refused: no role in %s", settings.ASP.system)
            return pages.no_role(request)
        return None
