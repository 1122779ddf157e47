"""Keycloak through its administration interface, reached inside its own container (nothing of it is published)."""

from __future__ import annotations

from typing import Any

from centre.reach.keycloak import EVERYTHING, Keycloak
from centre.reach.runtime import Runtime
from centre.reach.tunnel import HttpsSession
from inventory.models import Municipality
from inventory.names import Port
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs import realm

SECONDS = 20


def server(runtime: Runtime, register: Register, secrets: Secrets) -> dict[str, Any]:
    """Section `identity` of the centre: health, and the realm's settings against the stack's."""
    service, root = register.names.identity, secrets.root_ca.certificate
    with HttpsSession(runtime, service, Port.IDENTITY_MANAGEMENT, root, SECONDS) as session:
        health = session.request("GET", "/health/ready", accept=(503,)).json()["status"]
    with Keycloak(runtime, secrets) as keycloak:
        current = keycloak.get()
    expected = realm.settings(register)
    return {
        "health": health,
        "realm": {
            "name": current["realm"],
            "enabled": current["enabled"],
            "organizations": current["organizationsEnabled"],
            "brute_force_protected": current["bruteForceProtected"],
            "registration": current["registrationAllowed"],
            "different": sorted(key for key, value in expected.items() if current.get(key) != value),
        },
    }


def tenant(runtime: Runtime, secrets: Secrets, municipality: Municipality) -> dict[str, Any]:
    """Section `identity` of a tenant: organization, client, and members (user name → may sign in)."""
    with Keycloak(runtime, secrets) as keycloak:
        # Found by name, since its search knows no alias.
        named = keycloak.get("organizations", search=municipality.name, exact=True)
        organization = next((item for item in named if item.get("alias") == municipality.tenant), None)
        client = next(iter(keycloak.get("clients", clientId=municipality.tenant)), None)
        members = []
        if organization:
            members = keycloak.get("organizations", organization["id"], "members", max=EVERYTHING)
    return {
        "organization": organization and {"enabled": organization["enabled"], "name": organization["name"]},
        "client": client and {"enabled": client["enabled"], "redirects": sorted(client.get("redirectUris", []))},
        "members": {member["username"]: member["enabled"] for member in members},
    }
