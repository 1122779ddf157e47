"""Ansible action: a whole cell out of its backups. The work is in `centre.backup.restore_cell`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.restore_cell import DOCUMENTATION

from centre import moments, turn
from centre.action import CentreAction, Params, Result
from centre.backup import restore, restore_cell
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import load

TURN_SECONDS = 600  # to wait for plays that work on one of its municipalities


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register = load(params["asp_environment"])
    cell = CellSql(Runtime(register), params["cell"])
    if params["step"] == "forget":
        restore_cell.forget(cell, params["kept"], check)
        return {"changed": True, "diff": {"before": f"{params['kept']}\n", "after": ""}}
    moment = restore.moment_of(params["target_time"]) if params["target_time"] else None
    restore_cell.may_rebuild(cell, params["repository"], moment)
    until = moments.describe(moment) if moment else "the end of the archive"
    diff = {"before": "", "after": f"{cell.cell_id}: as at {until}, out of repository {params['repository']}\n"}
    if check:
        return {"changed": True, "diff": diff}
    inside = [municipality.ksh for municipality in register.joined(params["cell"])]
    turn.take(params["asp_environment"], inside, "restore_cell", TURN_SECONDS)
    result = restore_cell.rebuild(cell, params["repository"], moment)
    return {"changed": True, "diff": diff, "kept": result.former_folder, "down_seconds": result.down_seconds}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (restore.RestoreFault, turn.TurnTaken)
