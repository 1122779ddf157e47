"""Sign-in: OpenID Connect code flow with PKCE at the system's own client of the tenant, bound to the connection's
certificate.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from systems.chain import send
from systems.core import clerk_access, logs, pages
from systems.core.clerk import Clerk
from systems.shared.credentials import derive
from systems.shared.realms import client_id

KEY = "sign-in"
PROTOCOL = "/protocol/openid-connect"
TIMEOUT = 10  # seconds for one call to the identity provider
LEEWAY = 30  # seconds that clocks may differ
KEYS_LIFETIME = 300  # seconds for which the provider's keys are cached


FAULTS = (OAuthError, JoseError, requests.RequestException, KeyError, ValueError)  # of the provider or on the way to it


class SignInRefusal(Exception):
    """The identity provider's answer is not of somebody whom this tenant lets in; the message is for logs."""


@dataclass(frozen=True)
class Realm:
    """One realm of the identity provider, where each system of each tenant has a client.

    `purpose`: of the client's derived secret; `scope`: with `{tenant}` in it; `callback`: name of the address that
    takes the code; `key`: where the session keeps a sign-in attempt.
    """

    name: str
    purpose: str
    scope: str
    callback: str
    key: str

    @property
    def issuer(self) -> str:
        """Base of the realm's addresses as browsers see them."""
        return f"{settings.ASP.issuer.rsplit('/', 1)[0]}/{self.name}"

    @property
    def back_channel(self) -> str:
        """Base of the realm's addresses inside the hosting."""
        return f"{settings.ASP.back_channel}/realms/{self.name}"


def clerks() -> Realm:
    """The realm whose tokens make clerks."""
    name = settings.ASP.issuer.rsplit("/", 1)[1]
    return Realm(name, "oidc", "openid organization:{tenant}", "sign-in-complete", KEY)


def open_to_all(view):
    """Mark a view that needs no signed-in clerk."""
    view.open_to_all = True
    return view


def own_client(tenant: str) -> str:
    """The client of this system at a tenant: a token that another system's client was given is none of ours."""
    return client_id(tenant, settings.ASP.system)


def client(request: HttpRequest, realm: Realm, **options: Any) -> OAuth2Session:
    """OAuth client of the request's tenant; the back channel's certificate must come from the hosting's root."""
    tenant = request.tenant.name
    session = OAuth2Session(
        client_id=own_client(tenant),
        client_secret=derive(settings.ASP.oidc_key.encode(), tenant, realm.purpose),
        scope=realm.scope.format(tenant=tenant),
        redirect_uri=request.build_absolute_uri(reverse(realm.callback)),
        code_challenge_method="S256",
        **options,
    )
    session.verify = settings.ASP.root_certificate
    return session


def go(request: HttpRequest, realm: Realm) -> HttpResponse:
    """Send the browser to a realm; it returns to the realm's callback, and then to `next` of this request."""
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    url, state = client(request, realm).create_authorization_url(
        f"{realm.issuer}{PROTOCOL}/auth", nonce=nonce, code_verifier=verifier
    )
    target = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=True):
        target = f"/{settings.ASP.system}/"
    request.session[realm.key] = {"state": state, "nonce": nonce, "verifier": verifier, "next": target}
    return redirect(url)


def take_attempt(request: HttpRequest, realm: Realm) -> dict[str, str] | None:
    """The attempt that this browser returns from, removed from the session; None when the session began no such one."""
    attempt = request.session.pop(realm.key, None)
    return attempt if attempt and request.GET.get("state") == attempt["state"] else None


def redeem(request: HttpRequest, realm: Realm, attempt: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Claims and ID token for the code that the browser brings; SignInRefusal or one of FAULTS."""
    if "code" not in request.GET:
        raise SignInRefusal(f"no code: {request.GET.get('error', 'no error named')}")
    token = client(request, realm, state=attempt["state"]).fetch_token(
        f"{realm.back_channel}{PROTOCOL}/token",
        code=request.GET["code"],
        code_verifier=attempt["verifier"],
        timeout=TIMEOUT,
    )
    return verify(token["id_token"], request.tenant.name, attempt["nonce"], realm), token["id_token"]


@open_to_all
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the identity provider."""
    return go(request, clerks())


@open_to_all
def complete(request: HttpRequest) -> HttpResponse:
    """Redeem the code, check whose token it brings, and begin the session."""
    attempt = take_attempt(request, clerks())
    if attempt is None:
        if Clerk.from_session(request):  # a second tab, or a step back in the browser: already signed in
            return redirect(f"/{settings.ASP.system}/")
        logs.logger.warning("sign-in refused: unknown state")
        return pages.sign_in_failed(request)
    try:
        clerk = _clerk(request, attempt)
    except (SignInRefusal, *FAULTS) as error:
        logs.logger.warning("sign-in refused: %s: %s", type(error).__name__, error)
        return pages.sign_in_failed(request)
    access = clerk_access.fetch(clerk.username)
    if access and access.locked:
        logs.logger.warning("sign-in refused: locked by the municipality")
        return pages.account_locked(request)
    clerk.remember(request)
    request.session.clear_expired()  # of this tenant and system; nothing else removes them
    body = {"username": clerk.username, "name": clerk.name, "roles": _reported(clerk), "at": timezone.now()}
    with transaction.atomic():
        send("keret", "signed-in", body, key=clerk.username)
    return redirect(attempt["next"])


def _reported(clerk: Clerk) -> list[str]:
    """Roles that this system may report of a clerk: its own; the framework all, because it manages them."""
    own = settings.ASP.system
    return [role for role in clerk.roles if own == "keret" or role.startswith(f"{own}.")]


def _clerk(request: HttpRequest, attempt: dict[str, str]) -> Clerk:
    claims, token = redeem(request, clerks(), attempt)
    bearer = request.tenant.bearer
    if bearer is None or claims["preferred_username"] != bearer.username:
        raise SignInRefusal("the certificate is not of the clerk who signed in")
    return clerk_of(claims, request.tenant.name, token)


def verify(token: str, tenant: str, nonce: str, realm: Realm) -> dict[str, Any]:
    """Claims of an ID token that the realm signed for this tenant and this sign-in."""
    signed_token = jwt.decode(token, _keys(realm, int(time.time()) // KEYS_LIFETIME), algorithms=["RS256", "ES256"])
    check_claims(signed_token.claims, tenant, nonce, realm)
    return signed_token.claims


def check_claims(claims: dict[str, Any], tenant: str, nonce: str, realm: Realm | None = None) -> None:
    """Check issuer, audience, nonce and times of an ID token; raises JoseError or SignInRefusal."""
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": (realm or clerks()).issuer},
        aud={"essential": True, "value": own_client(tenant)},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
        preferred_username={"essential": True},
    )
    registry.validate(claims)
    if claims.get("azp", own_client(tenant)) != own_client(tenant):
        raise SignInRefusal("the token was issued for another client")


def clerk_of(claims: dict[str, Any], tenant: str, id_token: str) -> Clerk:
    """The clerk of verified claims; SignInRefusal for somebody who is no member of the tenant's organization."""
    if tenant not in (claims.get("organization") or []):
        raise SignInRefusal("not a member of the municipality's organization")
    roles = claims.get("resource_access", {}).get(tenant, {}).get("roles", [])
    name = " ".join(part for part in (claims.get("family_name"), claims.get("given_name")) if part)
    username = claims["preferred_username"]
    return Clerk(username, name or username, tuple(sorted(roles)), id_token)


def sign_out_url(request: HttpRequest, id_token: str | None, back: str, realm: Realm | None = None) -> str:
    """The address where the browser ends the provider's session and from which it returns to `back`."""
    parameters = {
        "client_id": own_client(request.tenant.name),
        "post_logout_redirect_uri": request.build_absolute_uri(back),
    }
    if id_token:
        parameters["id_token_hint"] = id_token
    return f"{(realm or clerks()).issuer}{PROTOCOL}/logout?{urlencode(parameters)}"


@lru_cache(maxsize=2)
def _keys(realm: Realm, period: int) -> KeySet:
    """A realm's public keys, fetched once a `period`."""
    url = f"{realm.back_channel}{PROTOCOL}/certs"
    answer = requests.get(url, verify=settings.ASP.root_certificate, timeout=TIMEOUT)
    answer.raise_for_status()
    return KeySet.import_key_set(json.loads(answer.text))
