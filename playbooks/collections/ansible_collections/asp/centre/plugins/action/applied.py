"""Ansible action: remember what was applied for municipalities, and keep the evidence of what was done."""

from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.asp.centre.plugins.modules.applied import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from inventory import applied


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    env, state, steps = params["asp_environment"], params["state"], params["steps"]
    _, municipalities = subjects(params)
    codes = [municipality.ksh for municipality in municipalities]
    entries = {municipality.ksh: applied.snapshot_entry(municipality, state) for municipality in municipalities}
    additions, removals = (entries, []) if state != "absent" else ({}, codes)
    before, after = applied.change(env, additions, removals, dry_run=check)
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
