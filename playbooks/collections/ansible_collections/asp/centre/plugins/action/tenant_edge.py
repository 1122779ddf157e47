"""Ansible action: municipalities at the edge. The work is in `centre.edge.hosts`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.tenant_edge import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.edge.hosts import EdgePlanner
from centre.reach.runtime import Runtime
from centre.steps import Plan


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
    planner = EdgePlanner(register, Runtime(register))
    plan: Plan = getattr(planner, params["state"])(municipalities)
    if not check:
        plan.carry_out()
    return {"changed": plan.changed, "steps": plan.after, "diff": plan.diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
