"""A realm itself: settings, flows, and the clients that Keycloak gives every realm and nobody here uses."""

from __future__ import annotations

from functools import partial
from typing import Any

from centre.identity import flows
from centre.reach.keycloak import Keycloak
from centre.steps import Plan
from inventory.register import Register
from stacks.configs import citizen_realm, realm, sign_in_flow
from stacks.configs.realm_settings import IDLE_CLIENTS
from stacks.configs.sign_in_flow import Flow


def clerks(plan: Plan, register: Register, api: Keycloak) -> None:
    """Plan that the clerks' realm is as the register says."""
    _settle(plan, api, realm.REALM, realm.settings(register), flows_of_clerks(register))


def citizens(plan: Plan, register: Register, api: Keycloak) -> None:
    """Plan that the citizens' realm is as the register says."""
    _settle(plan, api, citizen_realm.REALM, citizen_realm.settings(register), flows_of_citizens())


def flows_of_clerks(register: Register) -> dict[str, tuple[Flow, ...]]:
    """Field of the realm → its flow under each name that it may have."""
    factor = register.environment.identity.second_factor
    browser = tuple(sign_in_flow.browser(factor, name) for name in sign_in_flow.BROWSER_FLOWS)
    return {"browserFlow": browser, **flows_of_citizens()}


def flows_of_citizens() -> dict[str, tuple[Flow, ...]]:
    """Field of the realm → its flow under each name that it may have."""
    return {"directGrantFlow": tuple(sign_in_flow.no_direct_grant(name) for name in sign_in_flow.NO_DIRECT_GRANT)}


def _settle(
    plan: Plan, api: Keycloak, name: str, expected: dict[str, Any], expected_flows: dict[str, tuple[Flow, ...]]
) -> None:
    current = api.get()
    differing = {key: value for key, value in expected.items() if current.get(key) != value}
    if differing:
        before = {key: current.get(key) for key in differing}
        plan.add(f"realm {name}", before, differing, partial(_change, api, differing))
    flows.settle(plan, api, current, expected_flows)
    for client in open_idle_clients(api):
        closed = {**client, "enabled": False, "directAccessGrantsEnabled": False}
        plan.add(
            f"client {client['clientId']} of realm {name}", "open", "closed",
            partial(api.replace, "clients", client["id"], body=closed),
        )  # fmt: skip


def _change(api: Keycloak, differing: dict[str, Any]) -> None:
    # Read again: a flow may have been switched since the plan was made.
    api.replace(body={**api.get(), **differing})


def open_idle_clients(api: Keycloak) -> list[dict[str, Any]]:
    """Of the clients that nobody uses, those that somebody could."""
    clients = [client for name in IDLE_CLIENTS for client in api.get("clients", clientId=name)]
    return [client for client in clients if client["enabled"] or client.get("directAccessGrantsEnabled")]
