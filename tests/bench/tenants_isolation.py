"""I1 and I2: every tenant against every other from the running catalogues, and leaks planted there that must be found.

``python -m tests.bench I1 [--env dev]``: reads every cell, computes the matrix, names what is found. A made-up country
of 3,177 tenants follows, for the arithmetic alone.
``python -m tests.bench I2 [--env dev] [--subject 25159] [--neighbour 16054]``: plants each leak of
`tests.support.leaks` in the running cell, looks, and takes it back; exit 1 unless all were found and nothing is left.
"""

from __future__ import annotations

import argparse
import sys
import time

from centre.database import apply
from centre.isolation.findings import findings
from centre.isolation.matrix import PLANES, matrix
from centre.isolation.reading import read
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import load
from tests.support.country import country
from tests.support.leaks import LEAKS, planted

COUNTRY = 3177


def pairs(env: str) -> int:
    """I1: the whole matrix. Exit 1 when anybody reaches another."""
    register = load(env)
    runtime = Runtime(register)
    cells = [cell.id for cell in register.environment.cells]
    began = time.monotonic()
    facts = {cell: read(CellSql(runtime, cell)) for cell in cells}
    reading = time.monotonic() - began
    result = matrix(facts.values())
    strange = [item for cell in cells for item in findings(facts[cell], apply.shared_rights(register, cell))]
    total = time.monotonic() - began
    print(
        f"running catalogues: {result.tenants} tenants, {result.examined} pairs × planes ({len(PLANES)}), "
        f"forbidden {result.forbidden}, other findings {len(strange)}; read {reading:.2f} s, in all {total:.2f} s"
    )
    for item in strange:
        print(f"  {item}")
    made_up = country(COUNTRY, list(register.installed_systems))
    began = time.monotonic()
    synthetic = matrix(made_up)
    print(
        f"made-up catalogue: {synthetic.tenants} tenants, {synthetic.examined} pairs × planes, "
        f"forbidden {synthetic.forbidden}; computed in {time.monotonic() - began:.2f} s (reading not included)"
    )
    return 1 if result.forbidden or strange else 0


def leaks(env: str, subject: str, neighbour: str) -> int:
    """I2: planted leaks. Exit 1 when one is missed."""
    register = load(env)
    victim, other = register.municipality(subject), register.municipality(neighbour)
    cell = CellSql(Runtime(register), victim.cell)
    names = {"a": victim.tenant, "own": victim.role("irat"), "b": other.role("irat"), "B": other.tenant}
    shares = apply.shared_rights(register, cell.cell_id)
    if before := findings(read(cell), shares):
        print(f"the cell is not sound before anything is planted: {before}", file=sys.stderr)
        return 1
    missed, began = [], time.monotonic()
    for leak in LEAKS:
        with planted(cell, leak, names):
            facts = read(cell)
        in_audit = leak.kind in {item.kind for item in findings(facts, shares)}
        in_matrix = not leak.plane or (names["B"], names["a"]) in matrix([facts]).reached[leak.plane]
        if not (in_audit and in_matrix):
            missed.append(leak.name)
    leftovers = findings(read(cell), shares)
    kinds = len({leak.kind for leak in LEAKS})
    print(
        f"{len(LEAKS) - len(missed)} of {len(LEAKS)} leaks of {kinds} kinds found in {time.monotonic() - began:.0f} s; "
        f"missed: {', '.join(missed) or 'none'}; left behind: {leftovers or 'nothing'}"
    )
    return 1 if missed or leftovers else 0


def main() -> int:
    """Command line; the target's id comes first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leaks", action="store_true", help="I2 instead of I1")
    parser.add_argument("--env", default="dev")
    parser.add_argument("--subject", default="25159")
    parser.add_argument("--neighbour", default="16054")
    args = parser.parse_args()
    return leaks(args.env, args.subject, args.neighbour) if args.leaks else pairs(args.env)


if __name__ == "__main__":
    sys.exit(main())
