"""Ansible action: certificates of clerks taken away. The work is in `centre.edge.withdrawal`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.revoke import DOCUMENTATION

from centre.action import CentreAction, Params, Result
from centre.edge.revocation_ledger import Reason
from centre.edge.withdrawal import Withdrawals
from centre.faults import CentreFault
from centre.reach.runtime import Runtime
from inventory.register import load
from inventory.vault import vault


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register = load(params["asp_environment"])
    withdrawals = Withdrawals(register, vault.load(register))
    if params["step"] == "list":
        return {"lines": withdrawals.history()}
    if params["step"] == "reapply":
        outcome = withdrawals.reapply(Runtime(register))
        return {"changed": outcome.changed, "lines": outcome.lines}
    scope = withdrawals.scope(params["kind"], params["name"])
    if params["step"] == "look":
        return {"lines": withdrawals.look(scope), "confirm": scope.name}
    if check:
        return {"changed": True, "lines": []}
    if params["step"] == "lift":
        outcome = withdrawals.lift(scope, params["note"], Runtime(register))
    else:
        outcome = withdrawals.revoke(scope, Reason(params["reason"]), params["note"], Runtime(register))
    return {"changed": outcome.changed, "lines": outcome.lines}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (CentreFault,)
    required_if = (
        ("step", "look", ("kind", "name")),
        ("step", "lift", ("kind", "name")),
        ("step", "revoke", ("kind", "name", "reason")),
    )
