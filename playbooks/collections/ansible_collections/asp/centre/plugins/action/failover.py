"""Ansible action: hand a cell's leadership to a standby while clients are held at the pooler."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.failover import DOCUMENTATION

from centre.action import CentreAction, Params, Result
from centre.database.failover import plan, switch
from centre.reach.leader import leader
from centre.reach.runtime import Runtime
from inventory.register import load


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    runtime = Runtime(load(params["asp_environment"]))
    change = plan(runtime, params["cell"], params["node"] or None)
    result: Result = {"changed": not change.unnecessary, "former": change.leader, "leader": change.leader}
    if not change.unnecessary:
        result["leader"] = " or ".join(change.standbys)
        if not check:
            result["held_seconds"] = round(switch(runtime, change), 2)
            result["leader"] = leader(runtime, runtime.register.cell(params["cell"]))
    result["diff"] = {"before": f"leader: {change.leader}\n", "after": f"leader: {result['leader']}\n"}
    return result


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
