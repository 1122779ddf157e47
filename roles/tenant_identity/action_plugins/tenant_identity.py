"""Ansible action: municipalities at Keycloak. The work is in `stacks.tenants.identity`."""

from inventory import secrets
from stacks.action import CentreAction, asked
from stacks.runtime import Runtime
from stacks.tenants.citizens import CitizenPlanner
from stacks.tenants.identity import IdentityPlanner
from stacks.tenants.keycloak import Keycloak
from stacks.tenants.steps import Plan
from systems.configuration import REALM_OF_CITIZENS

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
    vault = secrets.load(register)
    runtime, plan = Runtime(register), Plan()
    with Keycloak(runtime, vault) as clerks:
        citizens = clerks.beside(REALM_OF_CITIZENS)
        for planner in (IdentityPlanner(register, vault, clerks), CitizenPlanner(register, vault, citizens)):
            plan.steps += getattr(planner, params["state"])(municipalities).steps
        if not check:
            plan.carry_out()
    return {"changed": bool(plan.steps), "steps": plan.lines, "diff": plan.diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
