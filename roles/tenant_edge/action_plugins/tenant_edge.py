"""Ansible action: municipalities at the edge. The work is in `centre.edge.hosts`."""

from centre.action import CentreAction, asked
from centre.edge.hosts import EdgePlanner
from centre.reach.runtime import Runtime

DOCUMENTATION = r"""
action: tenant_edge
short_description: Server certificates and map entries of municipalities at the edge
description:
  - Runs on the control node and reaches the edge through the Docker API. Works on all given municipalities at once.
  - C(present) has a certificate issued where there is none or its end is near, then opens the tenant. C(absent) closes
    it and removes the certificate. Open connections are not dropped.
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
    planner = EdgePlanner(register, Runtime(register))
    plan = getattr(planner, params["state"])(municipalities)
    if not check:
        plan.carry_out()
    return {"changed": plan.changed, "steps": plan.after, "diff": plan.diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
