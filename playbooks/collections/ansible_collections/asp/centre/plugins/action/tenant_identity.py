"""Ansible action: municipalities at Keycloak. The work is in `centre.identity`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.tenant_identity import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.identity.citizens import CitizenPlanner
from centre.identity.clerks import IdentityPlanner
from centre.reach.keycloak import Keycloak
from centre.reach.runtime import Runtime
from centre.steps import Plan
from inventory.vault import vault
from systems.shared.realms import REALM_OF_CITIZENS


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
    secrets = vault.load(register)
    runtime, plan = Runtime(register), Plan()
    with Keycloak(runtime, secrets) as clerks:
        citizens = clerks.beside(REALM_OF_CITIZENS)
        for planner in (IdentityPlanner(register, secrets, clerks), CitizenPlanner(register, secrets, citizens)):
            plan += getattr(planner, params["state"])(municipalities)
        if not check:
            plan.carry_out()
    return {"changed": plan.changed, "steps": plan.lines, "diff": plan.diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
