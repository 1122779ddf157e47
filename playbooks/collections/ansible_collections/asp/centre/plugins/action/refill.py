"""Ansible action: a sandbox emptied and filled anew. The work is in `centre.sandbox.refill`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.refill import DOCUMENTATION

from centre import turn
from centre.action import CentreAction, Params, Result
from centre.database.migrations import MigrationFault
from centre.database.plan import PlanFault
from centre.reach.runtime import Runtime
from centre.sandbox import refill, rules
from inventory.register import load

TURN_SECONDS = 600  # to wait for another play on the municipality


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    env = params["asp_environment"]
    register = load(env)
    municipality = rules.may_refill(register, params["municipality"])
    runtime = Runtime(register)
    if check:
        lines = refill.would_go(runtime, municipality)
        return {
            "changed": True,
            "steps": lines,
            "diff": {"before": "".join(f"{line}\n" for line in lines), "after": ""},
        }
    rules.confirm(municipality, params["confirm"])
    turn.take(env, [municipality.ksh], "refill", TURN_SECONDS)
    return {"changed": True, "steps": refill.run(register, runtime, municipality, params["seed"])}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (rules.SandboxFault, PlanFault, MigrationFault, turn.TurnTaken)
