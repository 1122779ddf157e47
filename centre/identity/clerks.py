"""A municipality at Keycloak: organization, OIDC clients with its roles, and the clerks of its office.

Reads what is there, plans what differs from the register, and only then changes anything.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from centre.identity import clients, realms
from centre.identity.staff_clients import StaffClients, TenantIdentity
from centre.reach.keycloak import EVERYTHING, Keycloak
from centre.reach.runtime import RuntimeFault
from centre.steps import Plan
from inventory.models import Clerk, Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets


class IdentityPlanner:
    """Plans for one register against one Keycloak."""

    def __init__(self, register: Register, secrets: Secrets, keycloak: Keycloak):
        self._register, self._api = register, keycloak
        self._staff_clients = StaffClients(register, secrets, keycloak)
        self._users: dict[str, str] = {}  # username → id: a joint office's clerk is planned once for all its tenants

    def present(self, municipalities: list[Municipality]) -> Plan:
        plan = Plan()
        realms.clerks(plan, self._register, self._api)
        for municipality in municipalities:
            tenant = TenantIdentity(municipality)
            self._organization(plan, tenant)
            self._staff_clients.present(plan, tenant)
            self._clerks(plan, tenant)
        return plan

    def absent(self, municipalities: list[Municipality]) -> Plan:
        """Clients, organization, and users who belong to no municipality that stays."""
        plan = Plan()
        leaving = {municipality.tenant for municipality in municipalities}
        for municipality in municipalities:
            self._staff_clients.absent(plan, municipality)
            if organization := self._find_organization(municipality):
                for member in self._members(organization["id"]):
                    self._dismiss(plan, TenantIdentity(municipality, organization["id"]), member, leaving)
                delete = partial(self._api.remove, "organizations", organization["id"])
                plan.add(f"organization {municipality.tenant}", organization["name"], "absent", delete)
        return plan

    # Organization

    def _find_organization(self, municipality: Municipality) -> dict[str, Any] | None:
        matches: list[dict[str, Any]] = self._api.get("organizations", search=municipality.name, exact=True)
        for organization in matches:
            if organization["alias"] == municipality.tenant:
                return organization
        if matches:
            raise RuntimeFault(
                f"organization {municipality.name}: alias seen {matches[0]['alias']}, wanted {municipality.tenant}. "
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
        if identifier and tenant.roles_holder:
            path = ("users", identifier, "role-mappings", "clients", tenant.roles_holder)
            current = {role["name"] for role in self._api.get(*path)}
        if current == expected:
            return

        def change() -> None:
            path = ("users", self._users[clerk.username], "role-mappings", "clients", tenant.roles_holder)
            roles = {
                role["name"]: role for role in self._api.get("clients", tenant.roles_holder, "roles", max=EVERYTHING)
            }
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


def roles_of(clerk: Clerk, municipality: Municipality) -> set[str]:
    """`<system>.<role>` of a clerk at one municipality: only systems that it has."""
    return {
        f"{system}.{role}" for system, roles in clerk.roles.items() if system in municipality.systems for role in roles
    }
