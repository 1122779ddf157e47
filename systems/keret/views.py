"""The framework's first page, with links to the joint office's other municipalities, and sign-out."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from systems.core import facts
from systems.core.maintenance import upcoming
from systems.keret.chain import end_sessions
from systems.keret.tiles import tiles
from systems.shell import activity, sign_in


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    systems = tiles(settings.ASP.catalogue, request.tenant.ksh, request.clerk)
    others = facts.others_of_office()
    return render(request, "keret/home.html", {"tiles": systems, "others": others, "upcoming": upcoming()})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End all sessions of this clerk at this municipality, delete their cookies, and end the provider's session."""
    with transaction.atomic():
        end_sessions(request.clerk.username, timezone.now())
        activity.record(request, "kilépés", "")
    response = redirect(sign_in.sign_out_url(request, request.clerk.id_token, "/keret/kijelentkezve"))
    request.session.flush()
    for entry in settings.ASP.catalogue:
        response.delete_cookie(f"asp_{entry.id}", path=f"/{entry.id}/")
    return response


@sign_in.open_to_all
@require_GET
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "keret/signed_out.html")
