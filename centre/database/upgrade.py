"""Newer schemas for tenants that exist already, before app servers of a newer release meet them."""

from __future__ import annotations

from centre.database import apply, migrations, reading
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import Register
from inventory.vault import vault


def upgrade(register: Register) -> list[str]:
    """Bring every existing tenant of every cell to this release's schemas; what was changed, a line each."""
    runtime, secrets, steps = Runtime(register), vault.load(register), migrations.installed()
    changed: list[str] = []
    for cell_id in [cell.id for cell in register.environment.cells]:
        cell = CellSql(runtime, cell_id)
        present = reading.databases(cell)
        tenants = [apply.specification(register, secrets, m) for m in register.joined(cell_id) if m.tenant in present]
        if tenants:
            changed += apply.ensure_present(cell, tenants, steps, check=False).after
    return changed
