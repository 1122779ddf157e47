"""Ansible action: the newest backup of a cell contains given municipalities. The work is in `stacks.cell.backups`."""

from inventory.errors import RegisterError
from inventory.register import load
from stacks.action import CentreAction
from stacks.cell.backups import BackupFault, ensure_backed_up
from stacks.cell.psql import CellSql
from stacks.runtime import Runtime, RuntimeFault

DOCUMENTATION = r"""
action: tenant_backup
short_description: Backups contain the municipalities' databases
description:
  - Makes the cell's stanza where it is absent, proves that WAL reaches the repository, and takes a backup (a full one
    when there is none) if the newest does not contain the database of each given municipality as it is now.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) done.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    register = load(params["environment"])
    municipalities = [register.municipality(ksh) for ksh in dict.fromkeys(params["municipalities"])]
    runtime = Runtime(register)
    before, after = [], []
    for cell_id in dict.fromkeys(municipality.cell for municipality in municipalities):
        names = [municipality.tenant for municipality in municipalities if municipality.cell == cell_id]
        outcome = ensure_backed_up(CellSql(runtime, cell_id), names, check)
        before += outcome.before
        after += outcome.after
    diff = {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)}
    return {"changed": bool(after), "steps": after, "diff": diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (RegisterError, RuntimeFault, BackupFault)
