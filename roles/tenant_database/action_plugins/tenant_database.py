"""Ansible action: databases and roles of municipalities at their cells. The work is in `centre.database`."""

from pathlib import Path

from centre.action import CentreAction, asked
from centre.database import apply, migrations
from centre.database.export import ExportFault, export
from centre.database.plan import PlanFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.steps import Plan
from inventory.vault import vault

DOCUMENTATION = r"""
action: tenant_database
short_description: Databases and roles of municipalities at the centre
description:
  - Runs on the control node and reaches PostgreSQL through the Docker API. Works on all given municipalities at once.
  - C(present) migrates the tenants' template, makes databases from it, roles and rights, and applies later migrations
    to databases that exist. C(exported) writes dump, CSV files and a manifest. C(absent) drops what is the tenant's.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, exported, absent], default: present, description: What is wanted.}
  export_dir: {type: path, description: Folder for exports; needed with C(exported).}
  confirm: {type: list, elements: str, default: [], description: KSH codes whose data may be destroyed by C(absent).}
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
exports: {type: dict, returned: exported, description: Folder of each municipality's export by KSH code.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    register, municipalities = asked(params)
    runtime = Runtime(register)
    total, exports = Plan(), {}
    for cell_id in dict.fromkeys(municipality.cell for municipality in municipalities):
        cell = CellSql(runtime, cell_id)
        here = [municipality for municipality in municipalities if municipality.cell == cell_id]
        total += ACTIONS[params["state"]](cell, here, params, check, exports)
    result = {"changed": total.changed, "steps": total.after, "diff": total.diff}
    return result | ({"exports": exports} if params["state"] == "exported" else {})


def present(cell, municipalities, params, check, exports):
    register = cell.runtime.register
    secrets = vault.load(register)
    wanted = [apply.wanted(register, secrets, municipality) for municipality in municipalities]
    return apply.ensure_present(cell, wanted, migrations.installed(), check)


def exported(cell, municipalities, params, check, exports):
    outcome = Plan()
    for municipality in municipalities:
        place = params["export_dir"]
        if not check:
            place = exports[municipality.ksh] = str(export(cell, municipality.tenant, Path(place)))
        outcome.add(f"export of {municipality.tenant}", "not taken", f"in {place}")
    return outcome


def absent(cell, municipalities, params, check, exports):
    unconfirmed = sorted({municipality.ksh for municipality in municipalities} - set(params["confirm"]))
    if unconfirmed:
        seen = ", ".join(params["confirm"]) or "nothing"
        raise PlanFault(f"absent destroys data for good; wanted in confirm: {', '.join(unconfirmed)}; seen: {seen}")
    return apply.ensure_absent(cell, [municipality.tenant for municipality in municipalities], check)


ACTIONS = {"present": present, "exported": exported, "absent": absent}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (PlanFault, migrations.MigrationFault, ExportFault)
    required_if = (("state", "exported", ("export_dir",)),)
