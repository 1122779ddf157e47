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
from centre.isolation import matrix as isolation
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
    began = time.monotonic()
    facts = [isolation.read(CellSql(runtime, cell.id)) for cell in register.environment.cells]
    read = time.monotonic() - began
    matrix = isolation.matrix(facts)
    found = [
        finding
        for cell, seen in zip(register.environment.cells, facts, strict=True)
        for finding in isolation.findings(seen, apply.shared_rights(register, cell.id))
    ]
    total = time.monotonic() - began
    print(
        f"running catalogues: {matrix.tenants} tenants, {matrix.examined} pairs × planes ({len(isolation.PLANES)}), "
        f"forbidden {matrix.forbidden}, other findings {len(found)}; read {read:.2f} s, in all {total:.2f} s"
    )
    for finding in found:
        print(f"  {finding.where}: {finding.kind}: {finding.what}")
    made_up = country(COUNTRY, list(register.installed_systems))
    began = time.monotonic()
    synthetic = isolation.matrix(made_up)
    print(
        f"made-up catalogue: {synthetic.tenants} tenants, {synthetic.examined} pairs × planes, "
        f"forbidden {synthetic.forbidden}; computed in {time.monotonic() - began:.2f} s (reading not included)"
    )
    return 1 if matrix.forbidden or found else 0


def leaks(env: str, subject: str, neighbour: str) -> int:
    """I2: planted leaks. Exit 1 when one is missed."""
    register = load(env)
    victim, other = register.municipality(subject), register.municipality(neighbour)
    cell = CellSql(Runtime(register), victim.cell)
    names = {"a": victim.tenant, "own": victim.role("irat"), "b": other.role("irat"), "B": other.tenant}
    shares = apply.shared_rights(register, cell.cell_id)
    if before := isolation.findings(isolation.read(cell), shares):
        print(f"the cell is not sound before anything is planted: {before}", file=sys.stderr)
        return 1
    missed, began = [], time.monotonic()
    for leak in LEAKS:
        with planted(cell, leak, names):
            facts = isolation.read(cell)
        found = leak.kind in {finding.kind for finding in isolation.findings(facts, shares)}
        in_matrix = not leak.plane or (names["B"], names["a"]) in isolation.matrix([facts]).reached[leak.plane]
        if not (found and in_matrix):
            missed.append(leak.name)
    left = isolation.findings(isolation.read(cell), shares)
    kinds = len({leak.kind for leak in LEAKS})
    print(
        f"{len(LEAKS) - len(missed)} of {len(LEAKS)} leaks of {kinds} kinds found in {time.monotonic() - began:.0f} s; "
        f"missed: {', '.join(missed) or 'none'}; left behind: {left or 'nothing'}"
    )
    return 1 if missed or left else 0


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
