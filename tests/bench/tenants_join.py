"""T1: how long one municipality takes from nothing to open, and again when nothing has changed.

``python -m tests.bench T1 [--env dev] [--subject 25159] [--rounds 3]``. Measured at the modules' own entry points, in
the order of the play; Ansible's own start (some seconds a play) is not in it. The subject is moved out without export
and is whole again in the end, so it must not be live.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from centre import turn
from inventory import applied
from inventory.register import load
from tests.support.modules import action

PARTS = ("database", "identity", "backup", "edge")
TARGET, TARGET_AGAIN = 5.0, 0.5


def run(part: str, env: str, ksh: str, state: str = "present") -> tuple[float, bool]:
    """Seconds of one module's run, and whether it changed anything."""
    params = {"asp_environment": env, "municipalities": [ksh], "state": state, "export_dir": None, "confirm": [ksh]}
    module = action(f"tenant_{part}")
    began = time.monotonic()
    result = module.run(params, False)
    return time.monotonic() - began, result["changed"]


def main() -> int:
    """Command line. Exit 1 when a join changed nothing or a second one something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="dev")
    parser.add_argument("--subject", default="25159")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    municipality = load(args.env).municipality(args.subject)
    if municipality.phase == "live":
        sys.exit(f"{args.subject} is live: wanted one that may be removed for a while")
    turn.take(args.env, [args.subject], "bench T1", 0)
    totals, right = {"join": [], "again": []}, True
    for _ in range(args.rounds):
        for part in ("edge", "identity", "database"):
            run(part, args.env, args.subject, "absent")
        applied.change(args.env, {}, [args.subject])
        for name in totals:
            results = {part: run(part, args.env, args.subject) for part in PARTS}
            right = right and all(changed == (name == "join") for _, changed in results.values())
            totals[name].append(sum(seconds for seconds, _ in results.values()))
            print(f"{name:>6} " + "".join(f"{part} {seconds:5.2f} s  " for part, (seconds, _) in results.items())
                  + f"in all {totals[name][-1]:5.2f} s", flush=True)  # fmt: skip
    applied.change(args.env, {args.subject: applied.snapshot_entry(municipality)})
    for name, target in (("join", TARGET), ("again", TARGET_AGAIN)):
        middle = statistics.median(totals[name])
        print(f"{name:>6} median {middle:.2f} s, target {target} s, ratio {middle / target:.2f}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
