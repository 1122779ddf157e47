"""Ansible action: given municipalities can come back from backups. The work is in `centre.backup.backups`."""

from centre.action import CentreAction, asked
from centre.backup.backups import BackupFault, ensure_backed_up
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.steps import Plan

DOCUMENTATION = r"""
action: tenant_backup
short_description: Backups, or the WAL that follows them, contain the municipalities' databases
description:
  - Makes the cell's stanza where it is absent, proves that WAL reaches the repositories, and takes a full backup where
    there is none. If the newest backup does not contain the database of each given municipality as it is now, it sees
    to it that the WAL written until then is in the repositories; the next backup comes by the schedule.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) done.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    register, municipalities = asked(params)
    runtime = Runtime(register)
    total = Plan()
    for cell_id in dict.fromkeys(municipality.cell for municipality in municipalities):
        names = [municipality.tenant for municipality in municipalities if municipality.cell == cell_id]
        total += ensure_backed_up(CellSql(runtime, cell_id), names, check)
    return {"changed": total.changed, "steps": total.after, "diff": total.diff}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (BackupFault,)
