"""Keycloak through its administration interface, reached inside its own container (nothing of it is published)."""

from __future__ import annotations

from urllib.parse import quote

from inventory.names import Port
from inventory.register import Municipality, Register
from inventory.secrets import Secrets
from stacks.components import realm
from stacks.runtime import Runtime
from stacks.tunnel import HttpsSession

SECONDS = 20
PAGE = 1000  # members asked for at once; an office has a few dozen


def server(runtime: Runtime, register: Register, secrets: Secrets) -> dict:
    """Section `identity` of the centre: health, and the realm's settings against the stack's."""
    service, root = register.names.identity, secrets.root_ca.certificate
    with HttpsSession(runtime, service, Port.IDENTITY_MANAGEMENT, root, SECONDS) as session:
        health = session.request("GET", "/health/ready", accept=(503,)).json()["status"]
    with _administration(runtime, register, secrets) as session:
        seen = session.request("GET", f"/admin/realms/{realm.REALM}").json()
    wanted = realm.settings(register)
    return {
        "health": health,
        "realm": {
            "name": seen["realm"],
            "enabled": seen["enabled"],
            "organizations": seen["organizationsEnabled"],
            "brute_force_protected": seen["bruteForceProtected"],
            "registration": seen["registrationAllowed"],
            "different": sorted(key for key, value in wanted.items() if not _same(seen.get(key), value)),
        },
    }


def tenant(runtime: Runtime, register: Register, secrets: Secrets, municipality: Municipality) -> dict:
    """Section `identity` of a tenant: organization, client, and members (user name → may sign in)."""
    base, name = f"/admin/realms/{realm.REALM}", municipality.tenant
    with _administration(runtime, register, secrets) as session:
        organizations = session.request("GET", f"{base}/organizations?search={quote(name)}&exact=false").json()
        organization = next((item for item in organizations if item.get("alias") == name), None)
        clients = session.request("GET", f"{base}/clients?clientId={quote(name)}").json()
        members = []
        if organization:
            members = session.request("GET", f"{base}/organizations/{organization['id']}/members?max={PAGE}").json()
    client = clients[0] if clients else None
    return {
        "organization": organization and {"enabled": organization["enabled"], "name": organization["name"]},
        "client": client and {"enabled": client["enabled"], "redirects": sorted(client.get("redirectUris", []))},
        "members": {member["username"]: member["enabled"] for member in members},
    }


def _administration(runtime: Runtime, register: Register, secrets: Secrets) -> HttpsSession:
    session = HttpsSession(runtime, register.names.identity, Port.IDENTITY, secrets.root_ca.certificate, SECONDS)
    form = {
        "grant_type": "client_credentials",
        "client_id": realm.OPERATOR,
        "client_secret": secrets.password("identity_admin"),
    }
    try:
        answer = session.request("POST", "/realms/master/protocol/openid-connect/token", form=form)
        session.bearer(answer.json()["access_token"])
    except BaseException:
        session.close()
        raise
    return session


def _same(seen: object, wanted: object) -> bool:
    if isinstance(seen, list) and isinstance(wanted, list):
        return sorted(map(str, seen)) == sorted(map(str, wanted))
    return seen == wanted
