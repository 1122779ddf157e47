"""A municipality in the citizens' realm: the OIDC client of its e-administration; and the environment's citizens.

Reads what is there, plans what differs from the register, and only then changes anything.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from centre.identity import clients, realms
from centre.identity.clients import SCOPE_KINDS, covers, with_ids
from centre.reach.keycloak import Keycloak
from centre.steps import Plan
from inventory.models import Citizen, Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs import citizen_realm
from systems.shared.realms import client_id

SYSTEM = "elugy"  # where citizens sign in


class CitizenPlanner:
    """Plans for one register against one Keycloak, whose realm is the citizens'."""

    def __init__(self, register: Register, secrets: Secrets, keycloak: Keycloak):
        self._register, self._secrets, self._api = register, secrets, keycloak

    def present(self, municipalities: list[Municipality]) -> Plan:
        plan = Plan()
        realms.citizens(plan, self._register, self._api)
        for municipality in municipalities:
            if SYSTEM in municipality.systems:
                self._client(plan, municipality)
            else:
                self._remove(plan, client_id(municipality.tenant, SYSTEM))
        for citizen in self._register.environment.citizens:
            self._citizen(plan, citizen)
        return plan

    def absent(self, municipalities: list[Municipality]) -> Plan:
        """Without their clients; citizens belong to no municipality and stay."""
        plan = Plan()
        for municipality in municipalities:
            self._remove(plan, client_id(municipality.tenant, SYSTEM))
        return plan

    def _find(self, name: str) -> dict[str, Any] | None:
        clients: list[dict[str, Any]] = self._api.get("clients", clientId=name)
        return next(iter(clients), None)

    def _client(self, plan: Plan, municipality: Municipality) -> None:
        expected = client(municipality, self._secrets.citizens_oidc_secret(municipality, SYSTEM))
        name = f"citizens' client {expected['clientId']}"
        self._remove(plan, municipality.tenant)  # one client of all systems, in environments from before ADR 38
        current = self._find(expected["clientId"])
        if current is None:
            create = partial(self._api.create, "clients", body=expected)
            plan.add(name, "absent", f"for {municipality.url(SYSTEM)}", create)
            return
        differing = sorted(key for key, value in expected.items() if not covers(current.get(key), value))
        if differing:
            body = {**current, **expected, "protocolMappers": with_ids(expected["protocolMappers"], current)}
            update = partial(self._api.replace, "clients", current["id"], body=body)
            if not SCOPE_KINDS.keys().isdisjoint(differing):  # changing a client leaves its scopes as they are
                update = partial(self._anew, current["id"], expected)
            # Values stay unsaid: the secret is one of them.
            plan.add(name, f"differs in {', '.join(differing)}", "as the register says", update)

    def _anew(self, identifier: str, expected: dict[str, Any]) -> None:
        """The client made again: nothing but what `client` says hangs on it."""
        self._api.remove("clients", identifier)
        self._api.create("clients", body=expected)

    def _remove(self, plan: Plan, name: str) -> None:
        if entry := self._find(name):
            remove = partial(self._api.remove, "clients", entry["id"])
            plan.add(f"citizens' client {name}", "present", "absent", remove)

    def _citizen(self, plan: Plan, citizen: Citizen) -> None:
        """A citizen; their password is set once, when they are made."""
        expected = user(citizen)
        current = next(iter(self._api.get("users", username=citizen.username, exact=True)), None)
        if current is None:
            password = {"type": "password", "value": self._secrets.citizen_password(citizen), "temporary": False}
            body = {**expected, "enabled": True, "credentials": [password]}
            plan.add(f"citizen {citizen.username}", "absent", "present", partial(self._api.create, "users", body=body))
            return
        differing = sorted(key for key, value in expected.items() if not covers(current.get(key), value))
        if differing:
            update = partial(self._api.replace, "users", current["id"], body={**current, **expected})
            fields = ", ".join(differing)
            plan.add(f"citizen {citizen.username}", f"differs in {fields}", "as the register says", update)


def client(municipality: Municipality, secret: str) -> dict[str, Any]:
    """The client: back to one address only, and the identifier in the ID token."""
    mapper = clients.mapper(
        "tax identification sign",
        "oidc-usermodel-attribute-mapper",
        citizen_realm.IDENTIFIER,
        tokens=("id",),
        config={"user.attribute": citizen_realm.IDENTIFIER},
    )
    return clients.client(
        municipality,
        SYSTEM,
        secret,
        redirect=f"{municipality.url(SYSTEM)}ugyfel/callback",
        optional_scopes=[],
        mapper=mapper,
    )


def user(citizen: Citizen) -> dict[str, Any]:
    """A citizen as a user."""
    return clients.user(citizen) | {"attributes": {citizen_realm.IDENTIFIER: [citizen.identifier]}}
