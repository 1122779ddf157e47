"""Ansible action: one municipality's database back to a moment, step by step (`centre.backup.restore`)."""

from __future__ import annotations

import time

from ansible_collections.asp.centre.plugins.modules.restore import DOCUMENTATION

from centre import moments
from centre.action import CentreAction, Params, Result
from centre.backup import restore
from centre.backup.backups import BackupFault
from centre.database import apply, migrations
from centre.database.plan import PlanFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.models import Municipality
from inventory.register import load
from inventory.vault import vault


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register = load(params["asp_environment"])
    municipality = register.municipality(params["municipality"])
    cell = CellSql(Runtime(register), municipality.cell)
    return STEPS[params["step"]](cell, municipality, params, check)


def aside(cell: CellSql, municipality: Municipality, params: Params, check: bool) -> Result:
    moment = restore.moment_of(params["target_time"] or "")
    tenant, repository = municipality.tenant, params["repository"]
    restore.may_restore(cell, tenant, moment, repository)
    at = f"{tenant} at {moments.describe(moment)}, out of repository {repository}"
    diff = {"before": "", "after": f"{restore.beside(tenant)}: {at}\n"}
    result: Result = {"changed": True, "moment": moments.describe(moment), "diff": diff}
    if check:
        return result
    restored = restore.put_aside(cell, tenant, moment, repository)
    return result | {"changes": list(restored.changes)}


def exchange(cell: CellSql, municipality: Municipality, params: Params, check: bool) -> Result:
    if check:  # nothing was put aside
        return {"changed": True}
    restored = restore.waiting(cell, municipality.tenant)
    if restored is None:
        name = restore.beside(municipality.tenant)
        raise restore.RestoreFault(f"{name}: wanted a whole restored database, seen none")
    return _exchange(cell, municipality, restored.name, restored)


def undo(cell: CellSql, municipality: Municipality, params: Params, check: bool) -> Result:
    _require_former(cell, municipality, params["kept"])
    if check:
        return {"changed": True}
    return _exchange(cell, municipality, params["kept"], restore.Aside(municipality.tenant, params["kept"], []))


def forget(cell: CellSql, municipality: Municipality, params: Params, check: bool) -> Result:
    _require_former(cell, municipality, params["kept"])
    if not check:
        restore.forget(cell, params["kept"])
    return {"changed": True, "diff": {"before": f"{params['kept']}: closed\n", "after": ""}}


def _exchange(cell: CellSql, municipality: Municipality, incoming: str, restored: restore.Aside) -> Result:
    register = cell.runtime.register
    tenant = apply.specification(register, vault.load(register), municipality)
    began = time.monotonic()
    former = restore.exchange(cell, tenant, incoming, migrations.installed())
    seconds = round(time.monotonic() - began, 2)
    record = restore.report(register.environment.id, restored, former)
    diff = {
        "before": f"{tenant.name}: as it was\n",
        "after": f"{tenant.name}: was {incoming}\n{former}: was {tenant.name}, closed\n",
    }
    return {"changed": True, "kept": former, "held_seconds": seconds, "record": str(record), "diff": diff}


def _require_former(cell: CellSql, municipality: Municipality, name: str) -> None:
    if name not in (databases := restore.former_databases(cell, municipality.tenant)):
        listing = ", ".join(databases) or "none"
        raise restore.RestoreFault(f"nothing was touched; {name!r}: wanted a kept database of it; there are: {listing}")


STEPS = {"aside": aside, "exchange": exchange, "undo": undo, "forget": forget}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (BackupFault, PlanFault, restore.RestoreFault)
