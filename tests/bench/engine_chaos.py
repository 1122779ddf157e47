"""E3: random kills of the engine; after each, the next ``up`` completes and the daemon equals the program.

Services, their secrets, configs, networks and volumes are among the resources.

``python -m tests.bench.engine_chaos [--kills 100] [--seed N]``. Prints the seed, the kills and every fault.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.engine.chaos import Chaos, kill_rounds
from tests.engine.harness import Sandbox


def main() -> int:
    """Command line; status 1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    began = time.monotonic()
    total, faults, under_way = 0, [], Counter()
    with tempfile.TemporaryDirectory(prefix="eh-chaos-") as folder:
        part = 0
        while total < args.kills and not faults:
            # A new program every 20 kills, so that the graphs stay of a readable size.
            chaos = Chaos(Sandbox(Path(folder) / str(part)).init(), args.seed + part)
            try:
                kills, faults = kill_rounds(chaos, min(20, args.kills - total))
            finally:
                chaos.sandbox.close()
            under_way.update(chaos.under_way)
            total += kills
            part += 1
            print(f"seed {args.seed + part - 1}: {kills} kills, {len(faults)} faults", flush=True)
    for fault in faults:
        print(f"  {fault}")
    print("under way when killed: " + ", ".join(f"{operation} {count}" for operation, count in under_way.most_common()))
    print(f"{total} kills in {time.monotonic() - began:.0f} s: {'nothing lost' if not faults else 'FAULTS'}")
    return 1 if faults or total < args.kills else 0


if __name__ == "__main__":
    sys.exit(main())
