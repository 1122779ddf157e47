"""Ansible action: remember what was applied for municipalities, and keep the evidence of what was done."""

from datetime import UTC, datetime

from centre.action import CentreAction
from inventory import applied
from inventory.register import load

DOCUMENTATION = r"""
action: register_applied
short_description: Remember what was applied for municipalities
description:
  - Writes C(.asp/<env>/applied.json), which later runs hold unchangeable values to; and, when C(steps) are given and
    something was done, C(.asp/<env>/evidence/<time>-<state>.json).
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state:
    type: str
    choices: [joining, joined, absent]
    default: joined
    description: C(joining) before anything is made, C(joined) when the tenant is whole, C(absent) forgets it.
  steps: {type: dict, default: {}, description: What each part of the play changed (lists of lines).}
"""


def run(params, check):
    """Result of the action for its parameters."""
    env, codes, state, steps = (params[name] for name in ("environment", "municipalities", "state", "steps"))
    register = load(env)
    entries = {ksh: applied.of(register.municipality(ksh), state) for ksh in codes}
    kept, dropped = (entries, []) if state != "absent" else ({}, codes)
    before, after = applied.change(env, kept, dropped, dry_run=check)
    if any(steps.values()) and not check:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        applied.keep_evidence(
            env, f"{moment}-{state}", {"at": moment, "environment": env, "municipalities": entries, "steps": steps}
        )
    diff = {
        side: {ksh: values for ksh, values in snapshot.items() if ksh in codes}
        for side, snapshot in (("before", before), ("after", after))
    }
    return {"changed": after != before, "diff": diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
