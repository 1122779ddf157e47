"""Ansible action: a whole cell out of its backups. The work is in `centre.backup.restore_cell`."""

from centre import moments, turn
from centre.action import CentreAction
from centre.backup import restore, restore_cell
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import load

DOCUMENTATION = r"""
action: cell_restore
short_description: A cell's database cluster as it was at a moment
description:
  - Stops the nodes, restores the cluster beside what the first one's volume holds, gives it the cluster's name once it
    has opened, starts the nodes and proves that they archive. The former cluster stays on each volume until C(forget).
options:
  environment: {type: str, required: true, description: Environment of the register.}
  cell: {type: str, required: true, description: Id of the cell.}
  step: {type: str, choices: [restore, forget], required: true, description: What is done.}
  target_time: {type: str, description: "Moment, Budapest time or with an offset; without it the end of the archive."}
  repository: {type: int, choices: [1, 2], default: 1, description: Repository that is read; 2 is the encrypted one.}
  kept: {type: str, description: The former cluster's folder for C(forget).}
"""

RETURN = r"""
kept: {type: str, returned: after restore, description: Folder of the former cluster on the volume, if there was one.}
down_seconds: {type: float, returned: after restore, description: Until every node served again.}
"""

TURN_SECONDS = 600  # to wait for plays that work on one of its municipalities


def run(params, check):
    """Result of the action for its parameters."""
    register = load(params["environment"])
    cell = CellSql(Runtime(register), params["cell"])
    if params["step"] == "forget":
        restore_cell.forget(cell, params["kept"], check)
        return {"changed": True, "diff": {"before": f"{params['kept']}\n", "after": ""}}
    moment = restore.moment_of(params["target_time"]) if params["target_time"] else None
    restore_cell.may_rebuild(cell, params["repository"], moment)
    until = moments.shown(moment) if moment else "the end of the archive"
    diff = {"before": "", "after": f"{cell.cell_id}: as at {until}, out of repository {params['repository']}\n"}
    if check:
        return {"changed": True, "diff": diff}
    inside = [municipality.ksh for municipality in register.joined(params["cell"])]
    turn.take(params["environment"], inside, "restore_cell", TURN_SECONDS)
    done = restore_cell.rebuild(cell, params["repository"], moment)
    return {"changed": True, "diff": diff, "kept": done.kept, "down_seconds": done.down_seconds}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (restore.RestoreFault, turn.TurnTaken)
