"""Keycloak through its administration interface, reached inside its own container (nothing of it is published)."""

from __future__ import annotations

from typing import Any

from centre.identity import flows, realms
from centre.reach.keycloak import EVERYTHING, Keycloak
from centre.reach.runtime import Runtime
from centre.reach.tunnel import HttpsSession
from inventory.models import Municipality
from inventory.names import Port
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs import citizen_realm, realm
from stacks.configs.sign_in_flow import Flow
from systems.shared.realms import client_id

SECONDS = 20


def server(runtime: Runtime, register: Register, secrets: Secrets) -> dict[str, Any]:
    """Section `identity` of the centre: health, the realm's settings, and how people sign in, against the stack's."""
    service, root = register.names.identity, secrets.root_ca.certificate
    with HttpsSession(runtime, service, Port.IDENTITY_MANAGEMENT, root, SECONDS) as session:
        health = session.request("GET", "/health/ready", accept=(503,)).json()["status"]
    with Keycloak(runtime, secrets) as keycloak:
        current = keycloak.get()
        clerks = _ways_in(keycloak, current, realms.flows_of_clerks(register))
        beside = keycloak.beside(citizen_realm.REALM)
        citizens = _ways_in(beside, beside.get(), realms.flows_of_citizens())
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
        "second_factor": register.environment.identity.second_factor.value,
        "ways_in": {realm.REALM: clerks, citizen_realm.REALM: citizens},
    }


def _ways_in(keycloak: Keycloak, current: dict[str, Any], expected: dict[str, tuple[Flow, ...]]) -> dict[str, Any]:
    """Flows of a realm that are not as described, and clients that nobody uses and somebody could."""
    return {
        "flows": sorted(
            field for field, choices in expected.items() if not flows.follows(keycloak, current, field, choices)
        ),
        "clients": sorted(client["clientId"] for client in realms.open_idle_clients(keycloak)),
    }


def tenant(runtime: Runtime, secrets: Secrets, municipality: Municipality) -> dict[str, Any]:
    """Section `identity` of a tenant: organization, clients of its systems, and members (user name → may sign in)."""
    with Keycloak(runtime, secrets) as keycloak:
        # Found by name, since its search knows no alias.
        organizations = keycloak.get("organizations", search=municipality.name, exact=True)
        organization = next((item for item in organizations if item.get("alias") == municipality.tenant), None)
        clients = keycloak.get("clients", clientId=client_id(municipality.tenant, ""), search=True, max=EVERYTHING)
        members = []
        if organization:
            members = keycloak.get("organizations", organization["id"], "members", max=EVERYTHING)
    return {
        "organization": organization and {"enabled": organization["enabled"], "name": organization["name"]},
        "clients": {
            client["clientId"]: {"enabled": client["enabled"], "redirects": sorted(client.get("redirectUris", []))}
            for client in clients
        },
        "members": {member["username"]: member["enabled"] for member in members},
    }
