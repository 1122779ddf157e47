"""Ansible action: given municipalities can come back from backups. The work is in `centre.backup.backups`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.tenant_backup import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.backup.backups import BackupFault, ensure_backed_up
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.steps import Plan


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
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
