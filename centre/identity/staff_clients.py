"""OIDC clients of a municipality in the clerks' realm: one for each of its systems, and one that holds the roles.

A system's app server knows the secret of its own client alone, so that whoever takes one system speaks for that system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from centre.identity import clients
from centre.identity.clients import SCOPE_KINDS, covers, with_ids
from centre.reach.keycloak import EVERYTHING, Keycloak
from centre.steps import Plan
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets
from systems.shared.realms import client_id

ABSENT = "absent"


@dataclass
class TenantIdentity:
    """What Keycloak has of one municipality: the ids of its organization and of the client that holds its roles
    (empty: not yet).
    """

    municipality: Municipality
    organization: str = ""
    roles_holder: str = ""


class StaffClients:
    """Plans for one register against one Keycloak."""

    def __init__(self, register: Register, secrets: Secrets, keycloak: Keycloak):
        self._register, self._secrets, self._api = register, secrets, keycloak

    def present(self, plan: Plan, tenant: TenantIdentity) -> None:
        """The holder of roles and the systems' clients, as the register says; no client of another system."""
        municipality = tenant.municipality
        expected = self.expected(municipality)
        current = self._current(municipality)
        if holder := current.get(municipality.tenant):
            tenant.roles_holder = holder["id"]
            self._roles(plan, tenant)
        missing = [body for name, body in expected.items() if name not in current]
        if missing:
            self._create(plan, tenant, missing)
        for name in sorted(current.keys() & expected.keys()):
            self._change(plan, name, current[name], expected[name])
        for name in sorted(current.keys() - expected.keys()):
            self._remove(plan, name, current[name])

    def absent(self, plan: Plan, municipality: Municipality) -> None:
        for name, client in sorted(self._current(municipality).items()):
            self._remove(plan, name, client)

    def expected(self, municipality: Municipality) -> dict[str, dict[str, Any]]:
        """Client id → client."""
        systems = self._register.systems_of(municipality)
        entries = [client(municipality, system, self._secrets.oidc_secret(municipality, system)) for system in systems]
        return {entry["clientId"]: entry for entry in (roles_holder(municipality), *entries)}

    def _current(self, municipality: Municipality) -> dict[str, dict[str, Any]]:
        """Client id → client, of those that are the municipality's: `t16054`, `t16054-keret` and so on."""
        tenant = municipality.tenant
        holder = self._api.get("clients", clientId=tenant)
        systems = self._api.get("clients", clientId=client_id(tenant, ""), search=True, max=EVERYTHING)
        return {item["clientId"]: item for item in [*holder, *systems]}

    def _create(self, plan: Plan, tenant: TenantIdentity, missing: list[dict[str, Any]]) -> None:
        municipality = tenant.municipality
        names = [item["clientId"] for item in missing]
        roles: dict[str, list[dict[str, str]]] = {}
        if municipality.tenant in names:
            described = sorted(self._role_descriptions.items())
            roles = {municipality.tenant: [{"name": role, "description": text} for role, text in described]}

        def create() -> None:  # clients and roles in one request: one by one they took most of a join's time
            body = {"ifResourceExists": "FAIL", "clients": missing, "roles": {"client": roles}}
            self._api.create("partialImport", body=body)
            tenant.roles_holder = self._api.get("clients", clientId=municipality.tenant)[0]["id"]

        after = f"for {municipality.origin}, {len(names)} clients" + (
            f", {len(roles[municipality.tenant])} roles" if roles else ""
        )
        plan.add(f"clients of {municipality.tenant}", f"absent: {', '.join(names)}", after, create)

    def _change(self, plan: Plan, name: str, current: dict[str, Any], expected: dict[str, Any]) -> None:
        for kind in SCOPE_KINDS:
            others = {scope for other in SCOPE_KINDS if other != kind for scope in expected.get(other, ())}
            if kind in expected:
                self._scopes(plan, name, current, kind, set(expected[kind]), others)
        differing = sorted(k for k, v in expected.items() if k not in SCOPE_KINDS and not covers(current.get(k), v))
        if differing:
            fields = ", ".join(differing)  # values stay unsaid: the secret is one of them
            body = {**current, **expected, "protocolMappers": with_ids(expected["protocolMappers"], current)}
            update = partial(self._api.replace, "clients", current["id"], body=body)
            plan.add(f"client {name}", f"differs in {fields}", "as the register says", update)

    def _remove(self, plan: Plan, name: str, client: dict[str, Any]) -> None:
        plan.add(f"client {name}", "present", ABSENT, partial(self._api.remove, "clients", client["id"]))

    def _scopes(
        self, plan: Plan, name: str, client: dict[str, Any], kind: str, expected: set[str], others: set[str]
    ) -> None:
        """Scopes of a client that exists: changing the client leaves them as they are, each takes its own request.

        `others`: what belongs among the other kind's. It is moved there, and not removed here: Keycloak would take it
        away from both.
        """
        current = set(client.get(kind, ()))
        if current == expected:
            return

        def change() -> None:
            path = ("clients", client["id"], SCOPE_KINDS[kind])
            for scope in sorted(current - expected - others):
                self._api.remove(*path, self._scope_ids[scope])
            for scope in sorted(expected - current):
                # What is among the other kind's scopes is not added to this one: it has to leave there first.
                for other in SCOPE_KINDS.values():
                    self._api.remove("clients", client["id"], other, self._scope_ids[scope])
                self._api.replace(*path, self._scope_ids[scope], body=None)

        before, after = (", ".join(sorted(scopes)) or "none" for scopes in (current, expected))
        plan.add(f"{kind} of client {name}", before, after, change)

    @cached_property
    def _scope_ids(self) -> dict[str, str]:
        return {scope["name"]: scope["id"] for scope in self._api.get("client-scopes")}

    @cached_property
    def _role_descriptions(self) -> dict[str, str]:
        return {
            f"{system.id}.{role}": f"{system.name}: {title}"
            for system in self._register.systems.values()
            for role, title in system.roles.items()
        }

    def _roles(self, plan: Plan, tenant: TenantIdentity) -> None:
        """Plan the roles of a holder that exists; a new one comes with them."""
        path = ("clients", tenant.roles_holder, "roles")
        current = {role["name"] for role in self._api.get(*path, max=EVERYTHING)}
        expected = self._role_descriptions
        missing, surplus = sorted(expected.keys() - current), sorted(current - expected.keys())

        def create() -> None:
            for role in missing:
                self._api.create(*path, body={"name": role, "description": expected[role]})

        def remove() -> None:
            for role in surplus:
                self._api.remove(*path, role)

        name = f"roles of client {tenant.municipality.tenant}"
        if missing:
            plan.add(name, f"{len(missing)} missing", ", ".join(missing), create)
        if surplus:
            plan.add(name, ", ".join(surplus), "removed", remove)


def roles_holder(municipality: Municipality) -> dict[str, Any]:
    """The client that only holds a municipality's roles: nobody signs in at it, and it has no secret that works."""
    return {
        "clientId": municipality.tenant,
        "name": municipality.name,
        "enabled": True,  # a disabled client's roles come into no token
        "protocol": "openid-connect",
        "publicClient": False,
        "bearerOnly": True,
        "clientAuthenticatorType": "client-jwt",  # by a signature for which no key is known: refused
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "fullScopeAllowed": False,
        "redirectUris": [],
        "webOrigins": [],
        "protocolMappers": [],
    }


def client(municipality: Municipality, system: str, secret: str) -> dict[str, Any]:
    """The OIDC client of one system: its own call-back address only; the municipality's roles in its tokens."""
    site = municipality.url(system)
    mapper = clients.mapper(
        "roles of this tenant",
        "oidc-usermodel-client-role-mapper",
        f"resource_access.{municipality.tenant}.roles",
        tokens=("id", "access", "userinfo", "introspection"),
        config={"usermodel.clientRoleMapping.clientId": municipality.tenant, "multivalued": "true"},
    )
    entry = clients.client(
        municipality,
        system,
        secret,
        redirect=f"{site}oidc/callback",
        optional_scopes=["organization"],
        mapper=mapper,
    )
    # The roles are another client's (the holder's). No scope beside the mapper above brings roles into a token.
    return entry | {"fullScopeAllowed": True}
