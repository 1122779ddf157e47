"""A municipality at Keycloak: organization, OIDC client with its roles, and the clerks of its office.

Reads what is there, plans what differs from the register, and only then changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from centre.identity import clients
from centre.identity.clients import SCOPE_KINDS, covers, with_ids
from centre.reach.keycloak import EVERYTHING, Keycloak
from centre.reach.runtime import RuntimeFault
from centre.steps import Plan
from inventory.models import Clerk, Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs import realm


@dataclass
class TenantIdentity:
    """What Keycloak has of one municipality: the ids of its organization and client (empty: not yet)."""

    municipality: Municipality
    organization: str = ""
    client: str = ""


class IdentityPlanner:
    """Plans for one register against one Keycloak."""

    def __init__(self, register: Register, secrets: Secrets, keycloak: Keycloak):
        self._register, self._secrets, self._api = register, secrets, keycloak
        self._users: dict[str, str] = {}  # username → id: a joint office's clerk is planned once for all its tenants

    def present(self, municipalities: list[Municipality]) -> Plan:
        plan = Plan()
        self._realm(plan)
        for municipality in municipalities:
            tenant = TenantIdentity(municipality)
            self._organization(plan, tenant)
            self._client(plan, tenant)
            self._roles(plan, tenant)
            self._clerks(plan, tenant)
        return plan

    def absent(self, municipalities: list[Municipality]) -> Plan:
        """Client, organization, and users who belong to no municipality that stays."""
        plan = Plan()
        leaving = {municipality.tenant for municipality in municipalities}
        for municipality in municipalities:
            if entry := self._find_client(municipality):
                delete = partial(self._api.remove, "clients", entry["id"])
                plan.add(f"client {municipality.tenant}", "present", "absent", delete)
            if organization := self._find_organization(municipality):
                for member in self._members(organization["id"]):
                    self._dismiss(plan, TenantIdentity(municipality, organization["id"]), member, leaving)
                delete = partial(self._api.remove, "organizations", organization["id"])
                plan.add(f"organization {municipality.tenant}", organization["name"], "absent", delete)
        return plan

    # Realm, organization, client

    def _realm(self, plan: Plan) -> None:
        expected, current = realm.settings(self._register), self._api.get()
        differing = {key: value for key, value in expected.items() if current.get(key) != value}
        if differing:
            before = {key: current.get(key) for key in differing}
            plan.add(
                f"realm {realm.REALM}", before, differing, lambda: self._api.replace(body={**current, **differing})
            )

    def _find_organization(self, municipality: Municipality) -> dict[str, Any] | None:
        named: list[dict[str, Any]] = self._api.get("organizations", search=municipality.name, exact=True)
        for organization in named:
            if organization["alias"] == municipality.tenant:
                return organization
        if named:
            raise RuntimeFault(
                f"organization {municipality.name}: alias seen {named[0]['alias']}, wanted {municipality.tenant}. "
                "An alias cannot be changed: remove the organization by hand if it is a mistake"
            )
        return None

    def _organization(self, plan: Plan, tenant: TenantIdentity) -> None:
        municipality = tenant.municipality
        if organization := self._find_organization(municipality):
            tenant.organization = organization["id"]
            if not organization["enabled"]:
                enable = partial(
                    self._api.replace, "organizations", organization["id"], body={**organization, "enabled": True}
                )
                plan.add(f"organization {municipality.tenant}", "disabled", "enabled", enable)
            return
        body = {"name": municipality.name, "alias": municipality.tenant, "enabled": True}

        def create() -> None:
            tenant.organization = self._api.create("organizations", body=body)

        plan.add(f"organization {municipality.tenant}", "absent", municipality.name, create)

    def _find_client(self, municipality: Municipality) -> dict[str, Any] | None:
        clients: list[dict[str, Any]] = self._api.get("clients", clientId=municipality.tenant)
        return next(iter(clients), None)

    def _client(self, plan: Plan, tenant: TenantIdentity) -> None:
        municipality, name = tenant.municipality, f"client {tenant.municipality.tenant}"
        expected = client(municipality, self._secrets.oidc_secret(municipality))
        current = self._find_client(municipality)
        if current is None:
            roles = [{"name": role, "description": text} for role, text in sorted(self._role_descriptions.items())]

            def create() -> None:  # client and roles in one request: one by one they took most of a join's time
                body = {"clients": [expected], "roles": {"client": {municipality.tenant: roles}}}
                self._api.create("partialImport", body={"ifResourceExists": "FAIL", **body})
                tenant.client = (self._find_client(municipality) or {})["id"]

            plan.add(name, "absent", f"for {municipality.origin}, with {len(roles)} roles", create)
            return
        tenant.client = current["id"]
        for kind in SCOPE_KINDS:
            self._scopes(plan, tenant, kind, set(current.get(kind, ())), set(expected[kind]))
        differing = sorted(k for k, v in expected.items() if k not in SCOPE_KINDS and not covers(current.get(k), v))
        if differing:
            fields = ", ".join(differing)  # values stay unsaid: the secret is one of them
            body = {**current, **expected, "protocolMappers": with_ids(expected["protocolMappers"], current)}
            update = partial(self._api.replace, "clients", tenant.client, body=body)
            plan.add(name, f"differs in {fields}", "as the register says", update)

    def _scopes(self, plan: Plan, tenant: TenantIdentity, kind: str, current: set[str], expected: set[str]) -> None:
        """Scopes of a client that exists: changing the client leaves them as they are, each takes its own request."""
        if current == expected:
            return

        def change() -> None:
            path = ("clients", tenant.client, SCOPE_KINDS[kind])
            for scope in sorted(current - expected):
                self._api.remove(*path, self._scope_ids[scope])
            for scope in sorted(expected - current):
                # What is among the other kind's scopes is not added to this one: it has to leave there first.
                for other in SCOPE_KINDS.values():
                    self._api.remove("clients", tenant.client, other, self._scope_ids[scope])
                self._api.replace(*path, self._scope_ids[scope], body=None)

        name = f"{kind} of client {tenant.municipality.tenant}"
        plan.add(name, ", ".join(sorted(current)) or "none", ", ".join(sorted(expected)) or "none", change)

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
        """Plan the roles of a client that exists; a new one comes with them."""
        if not tenant.client:
            return
        current = {role["name"] for role in self._api.get("clients", tenant.client, "roles", max=EVERYTHING)}
        expected = self._role_descriptions
        missing, surplus = sorted(expected.keys() - current), sorted(current - expected.keys())

        def create() -> None:
            for role in missing:
                self._api.create("clients", tenant.client, "roles", body={"name": role, "description": expected[role]})

        def remove() -> None:
            for role in surplus:
                self._api.remove("clients", tenant.client, "roles", role)

        name = f"roles of client {tenant.municipality.tenant}"
        if missing:
            plan.add(name, f"{len(missing)} missing", ", ".join(missing), create)
        if surplus:
            plan.add(name, ", ".join(surplus), "removed", remove)

    # Clerks

    def _clerks(self, plan: Plan, tenant: TenantIdentity) -> None:
        members: list[dict[str, Any]] = self._members(tenant.organization) if tenant.organization else []
        belonging = {member["username"]: member for member in members}
        clerks = self._register.office_of(tenant.municipality).clerks
        for clerk in clerks:
            self._clerk(plan, clerk)
            self._membership(plan, tenant, clerk, clerk.username in belonging)
            self._mappings(plan, tenant, clerk)
        working = {clerk.username for clerk in clerks}
        for username, member in belonging.items():
            if username not in working:
                self._dismiss(plan, tenant, member, {tenant.municipality.tenant})

    def _members(self, organization: str) -> list[dict[str, Any]]:
        return list(self._api.get("organizations", organization, "members", max=EVERYTHING))

    def _clerk(self, plan: Plan, clerk: Clerk) -> None:
        if clerk.username in self._users:
            return
        expected = clients.user(clerk)
        current = next(iter(self._api.get("users", username=clerk.username, exact=True)), None)
        if current is None:
            self._users[clerk.username] = ""

            def create() -> None:
                self._users[clerk.username] = self._api.create("users", body={**expected, "enabled": True})

            plan.add(f"user {clerk.username}", "absent", clerk.full_name, create)
            return
        self._users[clerk.username] = current["id"]
        differing = {key: value for key, value in expected.items() if current.get(key) != value}
        if differing:
            before = {key: current.get(key) for key in differing}
            update = partial(self._api.replace, "users", current["id"], body={**current, **differing})
            plan.add(f"user {clerk.username}", before, differing, update)

    def _membership(self, plan: Plan, tenant: TenantIdentity, clerk: Clerk, belongs: bool) -> None:
        if belongs:
            return

        def join() -> None:
            # Keycloak wants the bare id as a JSON text here.
            self._api.create("organizations", tenant.organization, "members", body=self._users[clerk.username])

        plan.add(f"member {clerk.username} of {tenant.municipality.tenant}", "no", "yes", join)

    def _mappings(self, plan: Plan, tenant: TenantIdentity, clerk: Clerk) -> None:
        expected = roles_of(clerk, tenant.municipality)
        current: set[str] = set()
        identifier = self._users[clerk.username]
        if identifier and tenant.client:
            path = ("users", identifier, "role-mappings", "clients", tenant.client)
            current = {role["name"] for role in self._api.get(*path)}
        if current == expected:
            return

        def change() -> None:
            path = ("users", self._users[clerk.username], "role-mappings", "clients", tenant.client)
            roles = {role["name"]: role for role in self._api.get("clients", tenant.client, "roles", max=EVERYTHING)}
            if expected - current:
                self._api.create(*path, body=[roles[role] for role in sorted(expected - current)])
            if current - expected:
                self._api.remove(*path, body=[roles[role] for role in sorted(current - expected) if role in roles])

        name = f"roles of {clerk.username} at {tenant.municipality.tenant}"
        plan.add(name, ", ".join(sorted(current)) or "none", ", ".join(sorted(expected)) or "none", change)

    def _dismiss(self, plan: Plan, tenant: TenantIdentity, member: dict[str, Any], leaving: set[str]) -> None:
        """A member goes: out of the organization when another one keeps it, else altogether."""
        identifier, username = member["id"], member["username"]
        others = self._api.get("organizations", "members", identifier, "organizations")
        if {organization["alias"] for organization in others} - leaving:

            def part() -> None:
                self._api.remove("organizations", tenant.organization, "members", identifier)

            plan.add(f"member {username} of {tenant.municipality.tenant}", "yes", "no", part)
        elif username not in self._users:
            self._users[username] = identifier  # planned once, though every leaving tenant names it
            plan.add(f"user {username}", "present", "absent", lambda: self._api.remove("users", identifier))


def client(municipality: Municipality, secret: str) -> dict[str, Any]:
    """The tenant's OIDC client: its own origin only, its own roles only."""
    everything = f"{municipality.origin}/*"
    mapper = clients.mapper(
        "roles of this tenant",
        "oidc-usermodel-client-role-mapper",
        f"resource_access.{municipality.tenant}.roles",
        tokens=("id", "access", "userinfo", "introspection"),
        config={"usermodel.clientRoleMapping.clientId": municipality.tenant, "multivalued": "true"},
    )
    return clients.client(
        municipality,
        secret,
        base=municipality.url(),
        redirect=everything,
        signed_out=everything,
        optional_scopes=["organization"],
        mapper=mapper,
    )


def roles_of(clerk: Clerk, municipality: Municipality) -> set[str]:
    """`<system>.<role>` of a clerk at one municipality: only systems that it has."""
    return {
        f"{system}.{role}" for system, roles in clerk.roles.items() if system in municipality.systems for role in roles
    }
