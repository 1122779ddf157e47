"""Ansible action: municipalities at the edge. The work is in `centre.edge.hosts`."""

from centre.action import CentreAction, asked
from centre.edge.hosts import EdgePlanner, diff
from centre.reach.runtime import Runtime
from inventory.vault import vault

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
    changes = planner.present(municipalities) if params["state"] == "present" else planner.absent(municipalities)
    changed = any(changes)
    if changed and not check:
        if params["state"] == "present":
            planner.open(municipalities, changes, vault.load(register))
        else:
            planner.close(changes)
    told = diff(changes)
    return {"changed": changed, "steps": told["after"].splitlines(), "diff": told}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
