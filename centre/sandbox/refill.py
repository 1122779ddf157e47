"""Empty a sandbox municipality and fill it anew with invented data.

Only a municipality marked `training: true` in the register (`rules.may_refill`). Passed exercises and certificates
stay. A run that was killed is completed by running it again: it begins anew and throws away what the killed one left.
"""

from __future__ import annotations

from centre.backup import restore
from centre.database import apply, migrations
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.sandbox import empty, fill
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault import vault


def would_go(runtime: Runtime, municipality: Municipality) -> list[str]:
    """What a refill would take away, a line for each table that is not as in the template."""
    cell = CellSql(runtime, municipality.cell)
    with cell.lock():
        return empty.would_go(cell, municipality.tenant)


def run(register: Register, runtime: Runtime, municipality: Municipality, seed: int) -> list[str]:
    """Empty the municipality's tenant and fill it; what was done, a line for each step."""
    cell = CellSql(runtime, municipality.cell)
    tenant = apply.specification(register, vault.load(register), municipality)
    steps = migrations.installed()
    apply.ensure_present(cell, [tenant], steps, check=False)  # the template is as new as the tenant then
    with cell.lock():
        incoming = empty.prepare(cell, tenant.name, runtime.container(cell.node))
    restore.exchange(cell, tenant, incoming, steps)
    dropped = empty.forget(cell, tenant.name)
    filled = fill.fill(register, runtime, municipality.ksh, seed)
    return [f"{municipality.name} emptied", *(f"database {name}: dropped" for name in dropped), *filled]
