"""Ansible action: municipalities at Keycloak. The work is in `centre.identity.clerks`."""

from centre.action import CentreAction, asked
from centre.identity.citizens import CitizenPlanner
from centre.identity.clerks import IdentityPlanner
from centre.reach.keycloak import Keycloak
from centre.reach.runtime import Runtime
from centre.steps import Plan
from inventory.vault import vault
from systems.shared.realms import REALM_OF_CITIZENS

DOCUMENTATION = r"""
action: tenant_identity
short_description: Organizations, OIDC clients, clerks and citizens of municipalities at Keycloak
description:
  - Runs on the control node and reaches Keycloak through the Docker API. Works on all given municipalities at once.
  - C(present) makes organization, client with roles, and the clerks of the office, as the register says; members that
    the register does not name are removed. C(absent) removes them, with users who belong to no other municipality.
  - In the citizens' realm a client for each municipality that has e-administration, and the environment's citizens.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, absent], default: present, description: What is wanted.}
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    register, municipalities = asked(params)
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
