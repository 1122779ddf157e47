"""D1: how long writes are gone when the leader dies, and whether an acknowledged row is: stock, tuned and fenced.

``python -m tests.bench D1 [--env dev] [--cell baz1] [--trials 20] [--compare 2]``. The cell must run with three nodes.
Stock and tuned are Patroni alone (30/10/10 and 20/2/3) with the fencer off, on the same cell in the same run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

from inventory.register import load
from tests.bench.database_cell import BenchCell, lose_leader

SETTINGS = {"stock": (30, 10, 10), "tuned": (20, 2, 3)}


def trial(cell: BenchCell) -> float:
    """Lose the leader for good until writes are back; the gap in seconds."""
    since = len(cell.history.rows)
    time.sleep(1)
    at = time.monotonic()
    undo = lose_leader(cell)
    try:
        cell.writes_again(time.monotonic())
    finally:
        undo()
    gap = cell.gap(at)
    cell.heal()
    if overlaps := cell.overlaps(since):
        print(f"  two writable leaders: {overlaps[:2]}")
    return gap


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def main() -> int:
    """Command line; exit 1 when an acknowledged row is lost or two leaders wrote."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default=os.environ.get("ASP_ENV", "dev"))
    parser.add_argument("--cell", default="baz1")
    parser.add_argument("--trials", type=int, default=5, help="of the fenced setting")
    parser.add_argument("--compare", type=int, default=1, help="trials of stock and of tuned")
    args = parser.parse_args()
    gaps: dict[str, list[float]] = {}
    with BenchCell.ready(load(args.env), args.cell, "D1") as cell:
        print(f"history: {cell.history.file.name}")
        for number in range(args.trials):
            gaps.setdefault("fenced", []).append(trial(cell))
            print(f"  fenced {number + 1}: {gaps['fenced'][-1]:.2f} s", flush=True)
        for name, setting in SETTINGS.items():
            for number in range(args.compare):
                cell.fencer(False)
                try:
                    cell.patience(*setting)
                    gaps.setdefault(name, []).append(trial(cell))
                finally:
                    cell.fencer(True)
                print(f"  {name} {number + 1}: {gaps[name][-1]:.2f} s", flush=True)
        lost_rows, overlaps = cell.lost_rows(), cell.overlaps()
        print(*(f"  LOST {row}" for row in lost_rows[:20]), sep="\n", end="")
        acknowledged = len(cell.history.acknowledged())
    for name, values in gaps.items():
        summary = f"p50 {statistics.median(values):.2f}  p95 {quantile(values, 0.95):.2f}  max {max(values):.2f}"
        ratio = statistics.median(values) / statistics.median(gaps["fenced"])
        print(f"{name:<7} trials {len(values):<3} {summary} s  ({ratio:.1f} × fenced)")
    print(
        f"acknowledged rows {acknowledged}, lost {len(lost_rows)}, "
        f"pairs of rows of two writable leaders {len(overlaps)}"
    )
    return 1 if lost_rows or overlaps else 0


if __name__ == "__main__":
    sys.exit(main())
