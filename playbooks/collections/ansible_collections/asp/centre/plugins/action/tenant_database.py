"""Ansible action: databases and roles of municipalities at their cells. The work is in `centre.database`."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.asp.centre.plugins.modules.tenant_database import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.database import apply, migrations
from centre.database.export import ExportFault, export
from centre.database.plan import PlanFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.steps import Plan
from inventory.models import Municipality
from inventory.vault import vault

Exports = dict[str, str]  # KSH code → folder


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
    runtime = Runtime(register)
    total, exports = Plan(), Exports()
    for cell_id in dict.fromkeys(municipality.cell for municipality in municipalities):
        cell = CellSql(runtime, cell_id)
        group = [municipality for municipality in municipalities if municipality.cell == cell_id]
        total += STATES[params["state"]](cell, group, params, check, exports)
    result = {"changed": total.changed, "steps": total.after, "diff": total.diff}
    return result | ({"exports": exports} if params["state"] == "exported" else {})


def present(cell: CellSql, municipalities: list[Municipality], params: Params, check: bool, exports: Exports) -> Plan:
    register = cell.runtime.register
    secrets = vault.load(register)
    tenants = [apply.specification(register, secrets, municipality) for municipality in municipalities]
    return apply.ensure_present(cell, tenants, migrations.installed(), check)


def exported(cell: CellSql, municipalities: list[Municipality], params: Params, check: bool, exports: Exports) -> Plan:
    plan = Plan()
    for municipality in municipalities:
        place = params["export_dir"]
        if not check:
            place = exports[municipality.ksh] = str(export(cell, municipality.tenant, Path(place)))
        plan.add(f"export of {municipality.tenant}", "not taken", f"in {place}")
    return plan


def absent(cell: CellSql, municipalities: list[Municipality], params: Params, check: bool, exports: Exports) -> Plan:
    unconfirmed = sorted({municipality.ksh for municipality in municipalities} - set(params["confirm"]))
    if unconfirmed:
        confirmation = ", ".join(params["confirm"]) or "nothing"
        raise PlanFault(
            f"absent destroys data for good; wanted in confirm: {', '.join(unconfirmed)}; seen: {confirmation}"
        )
    return apply.ensure_absent(cell, [municipality.tenant for municipality in municipalities], check)


STATES = {"present": present, "exported": exported, "absent": absent}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (PlanFault, migrations.MigrationFault, ExportFault)
    required_if = (("state", "exported", ("export_dir",)),)
