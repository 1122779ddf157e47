"""The framework's pages: the tiles of what this clerk may use here, and the way out."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from systems.core import sign_in
from systems.keret.models import Event
from systems.keret.tiles import tiles


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    if not request.session.get("greeted"):
        request.session["greeted"] = True
        Event.objects.create(username=request.clerk.username, kind=Event.Kind.OPENED)
    offered = tiles(settings.ASP.catalogue, request.tenant.ksh, request.clerk)
    return render(request, "keret/home.html", {"tiles": offered})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here, the cookies of every system of this host, and the identity provider's session."""
    Event.objects.create(username=request.clerk.username, kind=Event.Kind.SIGNED_OUT)
    response = redirect(sign_in.sign_out_url(request, request.clerk, "/keret/kijelentkezve"))
    request.session.flush()
    for entry in settings.ASP.catalogue:
        response.delete_cookie(f"asp_{entry.id}", path=f"/{entry.id}/")
    return response


@sign_in.open_to_all
@require_GET
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "keret/signed_out.html")
