"""Ansible action: a municipality filled with invented data. The work is in `centre.sandbox.fill`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.fill import DOCUMENTATION

from centre import turn
from centre.action import CentreAction, Params, Result
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.sandbox import fill, rules
from inventory.register import load

TURN_SECONDS = 600  # to wait for another play on the municipality


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    env, seed = params["asp_environment"], params["seed"]
    register = load(env)
    municipality = rules.may_fill(register, params["municipality"])
    if not check:
        rules.confirm(municipality, params["confirm"])
        turn.take(env, [municipality.ksh], "fill", TURN_SECONDS)
    runtime = Runtime(register)
    empty = fill.empty_systems(CellSql(runtime, municipality.cell), municipality)
    steps = [f"{system} of {municipality.ksh}: invented data" for system in empty]
    if empty and not check:
        steps = fill.fill(register, runtime, municipality.ksh, seed)
    return {"changed": bool(empty), "steps": steps, "diff": {"before": "", "after": "".join(f"{s}\n" for s in steps)}}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (rules.SandboxFault, turn.TurnTaken)
