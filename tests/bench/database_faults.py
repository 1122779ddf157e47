"""D3: random faults of a cell of three under writers; no acknowledged row may be lost and no two leaders may write.

``python -m tests.bench D3 [--env dev] [--cell baz1] [--trials 20] [--seed 1] [--only kill_leader,…]``.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import sys
import time

from inventory.register import load
from tests.bench.database_cell import FAULTS, BenchCell
from tests.bench.database_failover import quantile


def main() -> int:
    """Command line; exit 1 when an acknowledged row is lost, two leaders wrote, or the cell did not become whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default=os.environ.get("ASP_ENV", "dev"))
    parser.add_argument("--cell", default="baz1")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="names of faults, with commas")
    args = parser.parse_args()
    known = {fault.__name__: fault for fault in FAULTS}
    chosen = [known[name] for name in args.only.split(",")] if args.only else FAULTS
    random.seed(args.seed)
    # Every fault once before any comes again.
    rounds = [random.sample(chosen, len(chosen)) for _ in range(-(-args.trials // len(chosen)))]
    gaps: dict[str, list[float]] = collections.defaultdict(list)
    stuck = 0
    with BenchCell.ready(load(args.env), args.cell, "D3") as cell:
        print(f"seed {args.seed}, history: {cell.history.file.name}")
        for number, fault in enumerate([fault for turn in rounds for fault in turn][: args.trials], start=1):
            time.sleep(random.uniform(0.5, 2))
            at = time.monotonic()
            undo = fault(cell)
            done = time.monotonic()
            try:
                time.sleep(random.uniform(3, 8))  # the fault's length, where it does not mend itself
                undo()
                cell.writes_again(done)
                cell.heal()
            except RuntimeError as error:
                stuck += 1
                print(f"  {number} {fault.__name__}: {error}", flush=True)
                break
            gap = cell.gap(at)
            gaps[fault.__name__].append(gap)
            with cell.history.file.open("a") as stream:
                stream.write(json.dumps({"fault": fault.__name__, "at": at, "gap": gap}) + "\n")
            print(f"  {number} {fault.__name__}: writes gone for {gap:.2f} s", flush=True)
        lost, overlaps = cell.lost(), cell.overlaps()
        print(*(f"  LOST {row}" for row in lost[:20]), sep="\n", end="")
        acknowledged = len(cell.history.acknowledged())
    for name, values in sorted(gaps.items()):
        print(f"{name:<16} {len(values):>3} trials  p50 {quantile(values, 0.5):.2f}  max {max(values):.2f} s")
    done = sum(map(len, gaps.values()))
    print(
        f"{done} faults, acknowledged rows {acknowledged}, lost {len(lost)}, "
        f"pairs of rows of two writable leaders {len(overlaps)}, cell not whole again {stuck}"
    )
    return 1 if lost or overlaps or stuck else 0


if __name__ == "__main__":
    sys.exit(main())
