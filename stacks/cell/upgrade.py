"""Newer schemas for tenants that exist already, before app servers of a newer release meet them."""

from __future__ import annotations

from inventory import secrets
from inventory.register import Register
from stacks.cell import catalogue, migrations, tenants
from stacks.cell.psql import CellSql
from stacks.runtime import Runtime


def upgrade(register: Register) -> list[str]:
    """Bring every existing tenant of every cell to this release's schemas; what was changed, a line each."""
    runtime, vault, steps = Runtime(register), secrets.load(register), migrations.installed()
    changed: list[str] = []
    for cell_id in [cell.id for cell in register.environment.cells]:
        cell = CellSql(runtime, cell_id)
        there = catalogue.databases(cell)
        wanted = [tenants.wanted(register, vault, m) for m in register.joined(cell_id) if m.tenant in there]
        if wanted:
            changed += tenants.ensure_present(cell, wanted, steps, check=False).after
    return changed
