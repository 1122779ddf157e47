"""D3: random faults of a cell of three under writers; no acknowledged row may be lost and no two leaders may write.

``python -m tests.bench D3 [--env dev] [--cell baz1] [--trials 12] [--minutes 120] [--seed 1] [--only kill_leader,…]``.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import time

from inventory.register import load
from tests.bench.database_cell import FAULTS, BenchCell
from tests.bench.database_failover import quantile

LATE_SECONDS = 900  # for which a cell that is not whole in time is waited for before the bench gives up


def main() -> int:
    """Command line; exit 1 when an acknowledged row is lost, two leaders wrote, or the cell did not become whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default=os.environ.get("ASP_ENV", "dev"))
    parser.add_argument("--cell", default="baz1")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=120, help="after which no new round of faults begins")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="names of faults, with commas")
    args = parser.parse_args()
    by_name = {fault.__name__: fault for fault in FAULTS}
    selection = [by_name[name] for name in args.only.split(",")] if args.only else FAULTS
    random.seed(args.seed)
    # Every fault once before any comes again.
    rounds = [random.sample(selection, len(selection)) for _ in range(-(-args.trials // len(selection)))]
    trials, number = args.trials, 0
    gaps: dict[str, list[float]] = collections.defaultdict(list)
    stuck, lost_rows, overlaps = 0, [], []
    whole, until = True, time.monotonic() + args.minutes * 60
    with BenchCell.ready(load(args.env), args.cell, "D3") as cell:
        print(f"seed {args.seed}, history: {cell.history.file.name}")
        starts = [0, 0]  # rows before the last round and before this one: a late write may belong to the round before
        for turn in rounds:
            for fault in turn[:trials]:
                number += 1
                time.sleep(random.uniform(0.5, 2))
                at = time.monotonic()
                cell.history.note(fault=fault.__name__, at=at)
                undo = fault(cell)
                end = time.monotonic()
                try:
                    time.sleep(random.uniform(3, 8))  # the fault's length, where it does not mend itself
                    undo()
                    cell.writes_again(end)
                    cell.heal()
                except RuntimeError as error:
                    stuck += 1
                    print(f"  {number} {fault.__name__}: {error}", flush=True)
                    if not (whole := repair(cell, at)):
                        break
                gap = cell.gap(at)
                gaps[fault.__name__].append(gap)
                cell.history.note(fault=fault.__name__, at=at, gap=gap)
                print(f"  {number} {fault.__name__}: writes gone for {gap:.2f} s", flush=True)
            trials -= len(turn[:trials])
            before, now = starts[-2], len(cell.history.rows)
            lost_rows += [row for row in cell.lost_rows(before) if row not in lost_rows]
            overlaps += [pair for pair in cell.overlaps(before) if pair not in overlaps]
            starts.append(now)
            summary = {"round": len(starts) - 2, "lost": len(lost_rows), "overlaps": len(overlaps), "stuck": stuck}
            cell.history.note(**summary)
            print(f"  {summary}", *(f"  LOST {row}" for row in lost_rows[:20]), sep="\n", flush=True)
            if not whole or time.monotonic() > until:
                break
        lost_rows, overlaps = cell.lost_rows(), cell.overlaps()  # all of them, once more
        acknowledged = len(cell.history.acknowledged())
        total = sum(map(len, gaps.values()))
        verdict = f"{total} faults, acknowledged rows {acknowledged}, lost {len(lost_rows)}, "
        verdict += f"pairs of rows of two writable leaders {len(overlaps)}, cell not whole again in time {stuck}"
        cell.history.note(verdict=verdict, lost=lost_rows, overlaps=overlaps)
    for name, values in sorted(gaps.items()):
        print(f"{name:<16} {len(values):>3} trials  p50 {quantile(values, 0.5):.2f}  max {max(values):.2f} s")
    print(verdict)
    return 1 if lost_rows or overlaps or stuck else 0


def repair(cell: BenchCell, at: float) -> bool:
    """Whether a cell that was not whole in time becomes so later, with writes that were begun after the fault."""
    try:
        cell.heal(LATE_SECONDS)
        cell.writes_again(at, LATE_SECONDS)
    except RuntimeError as error:
        print(f"    nor after {LATE_SECONDS} s more: {error}", flush=True)
        return False
    print(f"    whole again {time.monotonic() - at:.0f} s after the fault", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
