"""Citizens' sign-in and sign-out, at a separate realm that stands in for KAÜ; its tokens never make a clerk."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from systems.core import logs, pages
from systems.elugy.citizen import Citizen, citizens
from systems.shared import identifiers
from systems.shared.realms import REALM_OF_CITIZENS
from systems.shell import sign_in as core

REALM = core.Realm(REALM_OF_CITIZENS, REALM_OF_CITIZENS, "openid", "elugy:sign-in-complete", "citizen-sign-in")


# The attempt lies with the browser, signed: whoever asks to sign in writes nothing into the municipality's database.
ATTEMPT = "asp_elugy_belepes"
ATTEMPT_SECONDS = 1800  # as long as the realm waits for a citizen at its form


def _salt(request: HttpRequest) -> str:
    return f"{ATTEMPT}.{request.tenant.name}"


@core.open_to_all
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Send the citizen to their realm."""
    response = core.go(request, REALM)
    attempt = signing.dumps(request.session.pop(REALM.key), salt=_salt(request))
    options = {"max_age": ATTEMPT_SECONDS, "path": reverse(REALM.callback), "secure": True, "httponly": True}
    response.set_cookie(ATTEMPT, attempt, samesite="Lax", **options)
    return response


@core.open_to_all
@require_GET
def complete(request: HttpRequest) -> HttpResponse:
    """Redeem the code and begin the citizen's session; the attempt counts once."""
    with suppress(signing.BadSignature):  # none, forged, or too old: then there is no attempt
        attempt = signing.loads(request.COOKIES.get(ATTEMPT, ""), salt=_salt(request), max_age=ATTEMPT_SECONDS)
        request.session[REALM.key] = attempt
    response = _complete(request)
    response.delete_cookie(ATTEMPT, path=reverse(REALM.callback), samesite="Lax")
    return response


def _complete(request: HttpRequest) -> HttpResponse:
    attempt = core.take_attempt(request, REALM)
    if attempt is None:
        if Citizen.from_session(request):  # a second tab, or a step back in the browser: already signed in
            return redirect("elugy:index")
        logs.logger.warning("citizen's sign-in refused: unknown state")
        return pages.sign_in_failed(request)
    try:
        claims, token = core.redeem(request, REALM, attempt)
        citizen = citizen_of(claims, token)
    except (core.SignInRefusal, *core.FAULTS) as error:
        logs.logger.warning("citizen's sign-in refused: %s: %s", type(error).__name__, error)
        return pages.sign_in_failed(request)
    citizen.remember(request)
    request.session.clear_expired()  # of this tenant and system; nothing else removes them
    return redirect(attempt["next"])


def citizen_of(claims: dict[str, Any], id_token: str) -> Citizen:
    """The citizen of verified claims; SignInRefusal without a valid tax identification sign."""
    try:
        identifier = identifiers.tax_sign(str(claims.get("identifier", "")))
    except ValueError:
        raise core.SignInRefusal("the token holds no valid tax identification sign") from None
    name = " ".join(part for part in (claims.get("family_name"), claims.get("given_name")) if part)
    return Citizen(identifier, name or claims["preferred_username"], claims.get("email", ""), id_token)


@citizens
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here and at the realm."""
    url = core.sign_out_url(request, request.citizen.id_token, "/elugy/kijelentkezve", REALM)
    request.session.flush()
    return redirect(url)


@core.open_to_all
@require_GET
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "elugy/signed_out.html")
