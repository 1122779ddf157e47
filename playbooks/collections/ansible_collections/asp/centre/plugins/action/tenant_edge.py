"""Ansible action: municipalities at the edge. The work is in `centre.edge.hosts`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.tenant_edge import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.edge.hosts import EdgePlanner, diff
from centre.reach.runtime import Runtime
from inventory.vault import vault


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
    planner = EdgePlanner(register, Runtime(register))
    changes = planner.present(municipalities) if params["state"] == "present" else planner.absent(municipalities)
    changed = any(changes)
    if changed and not check:
        if params["state"] == "present":
            planner.open(municipalities, changes, vault.load(register))
        else:
            planner.close(changes)
    difference = diff(changes)
    return {"changed": changed, "steps": difference["after"].splitlines(), "diff": difference}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
