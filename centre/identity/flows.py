"""Sign-in flows of a running realm: read, compared with their description, built anew beside the old one.

A flow that signs people in is never changed step by step, since every state in between would be a way in.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from centre.reach.keycloak import Keycloak
from centre.steps import Plan
from stacks.configs import sign_in_flow
from stacks.configs.sign_in_flow import Flow, Group, Line, Step

FLOWS = ("authentication", "flows")


def settle(plan: Plan, api: Keycloak, realm: dict[str, Any], flows: dict[str, tuple[Flow, ...]]) -> None:
    """Plan that the realm uses flows as described. `flows`: field of the realm → the same flow under each name that it
    may have; the names take turns.
    """
    for field, choices in flows.items():
        if follows(api, realm, field, choices):
            continue
        name = realm.get(field, "")
        following = next(flow for flow in choices if flow.name != name)
        before = f"{name} (differs)" if name in {flow.name for flow in choices} else name
        plan.add(f"{field} of realm {realm['realm']}", before, following.name, partial(_switch, api, field, following))


def follows(api: Keycloak, realm: dict[str, Any], field: str, choices: tuple[Flow, ...]) -> bool:
    """Whether the flow that a field of the realm names is one of the choices, step by step."""
    flow = next((flow for flow in choices if flow.name == realm.get(field)), None)
    return flow is not None and lines(api, flow.name) == list(sign_in_flow.lines(flow.steps))


def lines(api: Keycloak, name: str) -> list[Line]:
    """A flow's steps as Keycloak lists them."""
    executions = api.get(*FLOWS, name, "executions")
    return [Line(item["level"], _what(item), item["requirement"], _config(api, item)) for item in executions]


def _what(item: dict[str, Any]) -> str:
    return "group" if item.get("authenticationFlow") else str(item["providerId"])


def _config(api: Keycloak, item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    identifier = item.get("authenticationConfig")
    if not identifier:
        return ()
    return tuple(sorted(api.get("authentication", "config", identifier)["config"].items()))


def _switch(api: Keycloak, field: str, flow: Flow) -> None:
    """Build the flow, use it, and remove the one that was used before it."""
    _remove(api, flow.name)  # left by a run that was broken off
    api.create(*FLOWS, body={"alias": flow.name, "providerId": "basic-flow", "topLevel": True, "builtIn": False})
    _fill(api, flow.name, flow.name, flow.steps)
    realm = api.get()
    previous = realm.get(field, "")
    api.replace(body={**realm, field: flow.name})
    _remove(api, previous)


def _fill(api: Keycloak, flow: str, parent: str, steps: tuple[Step | Group, ...]) -> None:
    for step in steps:
        if isinstance(step, Group):
            name = sign_in_flow.group_name(flow, step)
            body = {"alias": name, "type": "basic-flow", "provider": "", "description": ""}
            identifier = api.create(*FLOWS, parent, "executions", "flow", body=body)
            _require(api, flow, step.requirement, flow_id=identifier)
            _fill(api, flow, name, step.steps)
        else:
            body = {"provider": step.authenticator}
            identifier = api.create(*FLOWS, parent, "executions", "execution", body=body)
            _require(api, flow, step.requirement, execution_id=identifier)
            if step.config:
                config = {"alias": sign_in_flow.config_name(flow, step), "config": dict(step.config)}
                api.create("authentication", "executions", identifier, "config", body=config)


def _require(api: Keycloak, flow: str, requirement: str, flow_id: str = "", execution_id: str = "") -> None:
    """Set what a new step counts for: Keycloak creates every one of them disabled."""
    for item in api.get(*FLOWS, flow, "executions"):
        if (flow_id and item.get("flowId") == flow_id) or item["id"] == execution_id:
            api.replace(*FLOWS, flow, "executions", body={**item, "requirement": requirement})


def _remove(api: Keycloak, name: str) -> None:
    """Remove a flow by its name; one that Keycloak brought itself, or that is gone, stays as it is."""
    for flow in api.get(*FLOWS):
        if flow["alias"] == name and not flow["builtIn"]:
            api.remove(*FLOWS, flow["id"])
