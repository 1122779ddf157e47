"""Ansible action: one municipality's database back to a moment, step by step (`centre.backup.restore`)."""

import time

from centre import moments
from centre.action import CentreAction
from centre.backup import restore
from centre.backup.backups import BackupFault
from centre.database import apply, migrations
from centre.database.plan import PlanFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import load
from inventory.vault import vault

DOCUMENTATION = r"""
action: tenant_restore
short_description: A municipality's database as it was at a moment
description:
  - C(aside) restores the database beside the tenant and compares the two; C(exchange) gives the tenant's name to what
    was put aside and keeps the former database, closed; C(undo) gives the name back to a kept database; C(forget) drops
    a kept one for good. Other municipalities of the cell are not touched.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipality: {type: str, required: true, description: KSH code.}
  step: {type: str, choices: [aside, exchange, undo, forget], required: true, description: What is done.}
  target_time: {type: str, description: "For C(aside), as 2026-11-23 14:00:00 (Budapest) or with an offset."}
  repository: {type: int, choices: [1, 2], default: 1, description: Repository that is read; 2 is the encrypted one.}
  kept: {type: str, description: The kept database for C(undo) and C(forget).}
"""

RETURN = r"""
moment: {type: str, returned: after aside, description: "The moment as it was read, in Budapest time and in UTC."}
changes: {type: list, elements: str, returned: after aside, description: Tables that differ, rows now and then.}
kept: {type: str, returned: after exchange and undo, description: Name under which the former database stays.}
held_seconds: {type: float, returned: after exchange and undo, description: For how long clients waited at most.}
record: {type: str, returned: after exchange and undo, description: File that says what was changed.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    register = load(params["environment"])
    municipality = register.municipality(params["municipality"])
    cell = CellSql(Runtime(register), municipality.cell)
    return STEPS[params["step"]](cell, municipality, params, check)


def aside(cell, municipality, params, check):
    moment = restore.moment_of(params["target_time"] or "")
    tenant, repository = municipality.tenant, params["repository"]
    restore.may_restore(cell, tenant, moment, repository)
    at = f"{tenant} at {moments.shown(moment)}, out of repository {repository}"
    diff = {"before": "", "after": f"{restore.beside(tenant)}: {at}\n"}
    result = {"changed": True, "moment": moments.shown(moment), "diff": diff}
    if check:
        return result
    made = restore.put_aside(cell, tenant, moment, repository)
    return result | {"changes": list(made.changes)}


def exchange(cell, municipality, params, check):
    if check:  # nothing was put aside
        return {"changed": True}
    made = restore.waiting(cell, municipality.tenant)
    if made is None:
        name = restore.beside(municipality.tenant)
        raise restore.RestoreFault(f"{name}: wanted a whole restored database, seen none")
    return _exchange(cell, municipality, made.name, made)


def undo(cell, municipality, params, check):
    _known(cell, municipality, params["kept"])
    if check:
        return {"changed": True}
    return _exchange(cell, municipality, params["kept"], restore.Aside(municipality.tenant, params["kept"], []))


def _exchange(cell, municipality, incoming, made):
    register = cell.runtime.register
    wanted = apply.wanted(register, vault.load(register), municipality)
    began = time.monotonic()
    kept = restore.exchange(cell, wanted, incoming, migrations.installed())
    held = round(time.monotonic() - began, 2)
    record = restore.report(register.environment.id, made, kept)
    diff = {
        "before": f"{wanted.name}: as it was\n",
        "after": f"{wanted.name}: was {incoming}\n{kept}: was {wanted.name}, closed\n",
    }
    return {"changed": True, "kept": kept, "held_seconds": held, "record": str(record), "diff": diff}


def forget(cell, municipality, params, check):
    _known(cell, municipality, params["kept"])
    if not check:
        restore.forget(cell, params["kept"])
    return {"changed": True, "diff": {"before": f"{params['kept']}: closed\n", "after": ""}}


def _known(cell, municipality, name):
    if name not in (found := restore.kept(cell, municipality.tenant)):
        seen = ", ".join(found) or "none"
        raise restore.RestoreFault(f"nothing was touched; {name!r}: wanted a kept database of it; there are: {seen}")


STEPS = {"aside": aside, "exchange": exchange, "undo": undo, "forget": forget}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (BackupFault, PlanFault, restore.RestoreFault)
