"""Empty a sandbox municipality and fill it anew with invented data.

Only a municipality marked `training: true` in the register, and only when its name is given (`--confirm`, or typed when
asked). `--check` says what would go. Passed exercises and certificates stay. A run that was killed is completed by
running it again: it begins anew and throws away what the killed one left.
"""

from __future__ import annotations

import argparse
import sys

from centre.backup import restore
from centre.database import apply, migrations
from centre.database.migrations import MigrationFault
from centre.database.plan import PlanFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from centre.sandbox import empty, fill
from inventory.errors import RegisterError
from inventory.models import Municipality
from inventory.register import Register, load
from inventory.vault import vault


class RefillFault(Exception):
    """What was asked for is not done; the message says what was seen and what is wanted. Nothing was touched."""


def sandbox(register: Register, ksh: str) -> Municipality:
    """The municipality of a KSH code, if it may be emptied; RefillFault otherwise."""
    municipality = register.municipality(ksh)
    who = f"{municipality.name} ({ksh})"
    if not municipality.training:
        raise RefillFault(f"{who} is not marked training: true in the register; only a sandbox is ever emptied")
    if not municipality.joined:
        raise RefillFault(f"{who} has no tenant in phase {municipality.phase}; wanted: phase connection, and joined")
    return municipality


def confirm(municipality: Municipality, name: str) -> None:
    """RefillFault unless `name` is the municipality's."""
    if name != municipality.name:
        raise RefillFault(f"not confirmed: seen {name!r}, wanted the municipality's name, {municipality.name!r}")


def run(register: Register, runtime: Runtime, municipality: Municipality, seed: int) -> list[str]:
    """Empty the municipality's tenant and fill it; what was done, a line for each step."""
    cell = CellSql(runtime, municipality.cell)
    wanted = apply.wanted(register, vault.load(register), municipality)
    known = migrations.installed()
    apply.ensure_present(cell, [wanted], known, check=False)  # the template is as new as the tenant then
    with cell.lock():
        incoming = empty.prepare(cell, wanted.name, runtime.container(cell.node))
    restore.exchange(cell, wanted, incoming, known)
    dropped = empty.forget(cell, wanted.name)
    filled = fill.fill(register, runtime, municipality.ksh, seed)
    return [f"{municipality.name} emptied", *(f"database {name}: dropped" for name in dropped), *filled]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m centre.sandbox.refill", description=__doc__.split(":")[0])
    parser.add_argument("--env", default="dev", help="environment (default dev)")
    parser.add_argument("--municipality", required=True, help="KSH code, five digits")
    parser.add_argument("--confirm", metavar="NAME", help="the municipality's name; asked for when it is not given")
    parser.add_argument("--check", action="store_true", help="only say what would go")
    parser.add_argument("--seed", type=int, default=1, help="another number makes other people (default 1)")
    chosen = parser.parse_args()
    try:
        register = load(chosen.env)
        municipality = sandbox(register, chosen.municipality)
        runtime = Runtime(register)
        if chosen.check:
            cell = CellSql(runtime, municipality.cell)
            with cell.lock():
                lines = empty.would_go(cell, municipality.tenant)
        else:
            name = chosen.confirm
            if name is None and sys.stdin.isatty():
                name = input(f"Everything in {municipality.host} goes. Type the municipality's name to go on: ")
            confirm(municipality, name or "")
            lines = run(register, runtime, municipality, chosen.seed)
    except (RegisterError, RefillFault, Unreachable, RuntimeFault, PlanFault, MigrationFault) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    print("\n".join(lines) or "nothing: it is as empty as the template")
    return 0


if __name__ == "__main__":
    sys.exit(main())
