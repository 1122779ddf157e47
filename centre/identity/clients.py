"""What clients and users of both realms have in common, and how what Keycloak shows is compared with what is due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from inventory.models import Municipality, Person
from systems.shared.realms import client_id

SCOPES = ["basic", "acr", "profile", "email"]
SCOPE_KINDS = {"defaultClientScopes": "default-client-scopes", "optionalClientScopes": "optional-client-scopes"}


def client(
    municipality: Municipality,
    system: str,
    secret: str,
    *,
    redirect: str,
    optional_scopes: Sequence[str],
    mapper: Mapping[str, Any],
) -> dict[str, Any]:
    """An OIDC client of one system of a municipality: authorization code with PKCE only, back to `redirect` only."""
    site = municipality.url(system)
    return {
        "clientId": client_id(municipality.tenant, system),
        "name": municipality.name,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "clientAuthenticatorType": "client-secret",
        "secret": secret,
        "standardFlowEnabled": True,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "fullScopeAllowed": False,
        "rootUrl": municipality.origin,
        "baseUrl": site,
        "redirectUris": [redirect],
        "webOrigins": [municipality.origin],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": f"{site}kijelentkezve",
            # An unsigned request object could carry what the address may not; no client has a key to sign one.
            "request.object.signature.alg": "RS256",
        },
        "defaultClientScopes": SCOPES,
        "optionalClientScopes": list(optional_scopes),
        "protocolMappers": [dict(mapper)],
    }


# What a mapper may write to. Without the last one Keycloak follows the access token.
TOKENS = {
    "id": "id.token.claim",
    "access": "access.token.claim",
    "userinfo": "userinfo.token.claim",
    "introspection": "introspection.token.claim",
}


def mapper(name: str, kind: str, claim: str, tokens: Collection[str], config: Mapping[str, str]) -> dict[str, Any]:
    """A protocol mapper that writes one claim into `tokens` (of TOKENS) and into no other."""
    into = {field: str(token in tokens).lower() for token, field in TOKENS.items()}
    if "introspection" not in tokens:
        del into[TOKENS["introspection"]]
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": kind,
        "config": {**config, "claim.name": claim, "jsonType.label": "String", **into},
    }


def user(person: Person) -> dict[str, Any]:
    """A person as a user. Whether it is locked is decided in daily work, not here."""
    return {
        "username": person.username,
        "firstName": person.given_name,
        "lastName": person.family_name,
        "email": person.email,
        "emailVerified": True,
    }


def covers(current: Any, expected: Any) -> bool:
    """Whether what Keycloak shows holds all that is due; it adds defaults of its own, and lists have no order."""
    if isinstance(expected, dict):
        return isinstance(current, dict) and all(covers(current.get(key), value) for key, value in expected.items())
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        by_name = {item.get("name"): item for item in current or []}
        return len(by_name) == len(expected) and all(covers(by_name.get(item["name"]), item) for item in expected)
    if isinstance(expected, list):
        return sorted(current or []) == sorted(expected)
    return bool(current == expected)


def with_ids(mappers: list[dict[str, Any]], current: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Mappers with the ids that Keycloak gave those of the same name."""
    ids = {mapper["name"]: mapper["id"] for mapper in current.get("protocolMappers", [])}
    return [mapper | ({"id": ids[mapper["name"]]} if mapper["name"] in ids else {}) for mapper in mappers]
