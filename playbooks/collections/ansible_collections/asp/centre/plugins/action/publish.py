"""Ansible action: one day's totals of the country for the Treasury. The work is in `centre.statistics.publish`."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.asp.centre.plugins.modules.publish import DOCUMENTATION

from centre.action import CentreAction, Params, Result
from centre.reach.runtime import Runtime
from centre.statistics import publish
from inventory.register import load


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register = load(params["asp_environment"])
    day = publish.day_of(params["day"], publish.today())
    folder = Path(params["folder"]) if params["folder"] else publish.folder_of(params["asp_environment"], day)
    runtime, trial = Runtime(register), params["with_connecting"]
    if check:
        return {"changed": True, "day": str(day), "lines": publish.state(register, runtime, day, trial)}
    files = publish.publish(register, runtime, day, folder, incomplete=params["incomplete"], with_connecting=trial)
    return {"changed": True, "day": str(day), "lines": [str(file) for file in files]}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (publish.TreasuryFault,)
