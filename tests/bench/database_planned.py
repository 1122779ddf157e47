"""D2: PostgreSQL alone crashes, and planned switchovers with clients held at the pooler: write gaps and errors.

``python -m tests.bench D2 [--env dev] [--cell baz1] [--trials 5]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

from centre.database.failover import plan, switch
from inventory.register import load
from tests.bench.database_cell import BenchCell, crash_postgres


def errors(cell: BenchCell, since: int) -> int:
    """Rows refused to a client of the pooler."""
    return sum(1 for row in cell.history.rows[since:] if not row.get("ok") and row["w"].startswith("p"))


def main() -> int:
    """Command line; exit 1 when a row is lost or a client saw an error at a planned switchover."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default=os.environ.get("ASP_ENV", "dev"))
    parser.add_argument("--cell", default="baz1")
    parser.add_argument("--trials", type=int, default=5)
    args = parser.parse_args()
    planned, crashed, error_count = [], [], 0
    with BenchCell.ready(load(args.env), args.cell, "D2") as cell:
        for number in range(args.trials):
            since, at = len(cell.history.rows), time.monotonic()
            seconds = switch(cell.runtime, plan(cell.runtime, args.cell))
            cell.writes_again(time.monotonic())
            planned.append(cell.gap(at))
            error_count += (failed := errors(cell, since))
            print(
                f"  planned {number + 1}: gap {planned[-1]:.2f} s (called for {seconds:.2f} s), {failed} errors",
                flush=True,
            )
            cell.heal()
            at = time.monotonic()
            crash_postgres(cell)
            cell.writes_again(time.monotonic())
            crashed.append(cell.gap(at))
            print(f"  crash {number + 1}: gap {crashed[-1]:.2f} s", flush=True)
            cell.heal()
        lost_rows, overlaps = cell.lost_rows(), cell.overlaps()
        print(*(f"  LOST {row}" for row in lost_rows[:20]), sep="\n", end="")
    for name, gaps in (("planned", planned), ("crash", crashed)):
        print(f"{name:<8} trials {len(gaps)}  p50 {statistics.median(gaps):.2f}  max {max(gaps):.2f} s")
    print(
        f"errors at planned switchovers {error_count}, lost {len(lost_rows)}, "
        f"pairs of two writable leaders {len(overlaps)}"
    )
    return 1 if lost_rows or overlaps or error_count else 0


if __name__ == "__main__":
    sys.exit(main())
