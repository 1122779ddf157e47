"""Making a cell's tenants as the register wants them: read, plan, apply, read again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from centre.database import plan, reading
from centre.database.migrations import Migration
from centre.database.plan import PlanFault, Statement, TenantDatabase
from centre.database.reading import Share
from centre.reach.psql import CellSql
from centre.steps import Plan
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs.postgres import TEMPLATE
from stacks.configs.scram import verifier

# A new tenant takes one round; one that was cloned, then closed, with older schemas takes two. More is a fault.
ROUNDS = 3
BATCH = 20  # tenants a script: a clone took 1 to 2.4 s on a quiet machine, and a script may take 300 s (CellSql)


def specification(register: Register, secrets: Secrets, municipality: Municipality) -> TenantDatabase:
    """The tenant of a municipality, with a login for each of its systems that this release has, and what they share."""
    logins = {
        system: verifier(secrets.role_password(municipality, system), municipality.role(system))
        for system in register.systems_of(municipality)
    }
    return TenantDatabase(
        municipality.tenant, logins, _views(register), facts(register, municipality), municipality.limits
    )


def shares(register: Register, municipality: Municipality) -> list[Share]:
    """What the tenant's logins should reach outside their own schemas."""
    logins = dict.fromkeys(register.systems_of(municipality), "")
    return TenantDatabase(municipality.tenant, logins, _views(register)).shares


def shared_rights(register: Register, cell_id: str) -> dict[str, frozenset[tuple[str, str, str, str]]]:
    """Tenants of a cell → rights of their logins beyond their own schemas: (login, schema, object, privilege).

    Also of municipalities that are not joined: a database that was left behind is as it was made.
    """
    return {
        municipality.tenant: frozenset(
            right
            for share in shares(register, municipality)
            for right in [
                (share.login, share.schema, "", "USAGE"),
                *((share.login, share.schema, share.object, privilege) for privilege in share.rights),
            ]
        )
        for municipality in register.municipalities.values()
        if municipality.cell == cell_id
    }


def _views(register: Register) -> list[tuple[str, str, str]]:
    return [
        (system.id, view, reader)
        for system in register.systems.values()
        for view, readers in system.shares.items()
        for reader in readers
    ]


def facts(register: Register, municipality: Municipality) -> str:
    """What its systems know about a municipality without asking anybody: JSON, read by `systems.core.facts`."""
    content = {
        "name": municipality.name,
        "county": municipality.settlement.county,
        "population": municipality.settlement.population,
        "host": municipality.host,
        "origin": municipality.origin,
        "office": municipality.office,
        "others": [
            {"ksh": other.ksh, "name": other.name, "origin": other.origin}
            for other in register.municipalities.values()
            if (other.office, other.cell) == (municipality.office, municipality.cell) and other.ksh != municipality.ksh
        ],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def ensure_present(
    cell: CellSql, tenants: Sequence[TenantDatabase], migrations: Sequence[Migration], check: bool
) -> Plan:
    """Make template and tenants right; in check mode only say how. PlanFault when they are not right after all.

    The plan that is returned has been carried out, unless in check mode.
    """
    outcome = Plan()
    with cell.lock():
        for _ in range(ROUNDS):
            batches = _plan(cell, tenants, migrations)
            if not batches:
                return outcome
            for steps in batches:
                outcome += steps
            if check:
                return outcome
            for steps in batches:
                cell.script(plan.script(steps))
        if open_steps := _plan(cell, tenants, migrations):
            rest = "; ".join(f"{step.subject}: {step.before}" for steps in open_steps for step in steps)
            raise PlanFault(f"cell {cell.cell_id}: after {ROUNDS} rounds still to do: {rest}")
    return outcome


def _plan(cell: CellSql, tenants: Sequence[TenantDatabase], migrations: Sequence[Migration]) -> list[list[Statement]]:
    """Steps in batches, each for one script: the template's, then those of BATCH tenants at a time."""
    shared = reading.shared(cell, [tenant.name for tenant in tenants])
    logins = {tenant.name: tenant.logins for tenant in tenants}
    visit = {name: logins[name] for name in reading.connectable(logins, shared.databases)}
    shares = {tenant.name: tenant.shares for tenant in tenants}
    insides = reading.inside(cell, {TEMPLATE: {}, **visit}, shares)
    parts = [tenants[first : first + BATCH] for first in range(0, len(tenants), BATCH)]
    batches = [plan.template_steps(migrations, insides[TEMPLATE])]
    batches += [plan.present_steps(part, shared, insides, migrations) for part in parts]
    return [steps for steps in batches if steps]


def ensure_absent(cell: CellSql, names: Sequence[str], check: bool) -> Plan:
    """Remove the databases and roles of tenants (`t16054`) for good; in check mode only say what would go."""
    outcome = Plan()
    with cell.lock():
        steps = plan.absent_steps(names, reading.shared(cell, names))
        outcome += steps
        if steps and not check:
            cell.script(plan.script(steps))
            if open_steps := plan.absent_steps(names, reading.shared(cell, names)):
                raise PlanFault("still there: " + "; ".join(step.subject for step in open_steps))
    return outcome
