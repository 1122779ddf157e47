"""Fill a municipality with invented data in every system.

For demos, training and benches; what is invented says so. A system that was filled before is left as it is.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from inventory.errors import RegisterError
from inventory.register import Register, load

SECONDS = 900  # for one system
TOGETHER = 3  # systems at a time; none needs what another one invents


def fill(register: Register, runtime: Runtime, ksh: str, seed: int = 1) -> list[str]:
    """What each system of the municipality said, in the order of its file."""
    municipality = register.municipality(ksh)
    cell = register.cell(municipality.cell)
    command = ["python", "-m", "systems.synthetic", ksh, f"--seed={seed}"]
    systems = register.systems_of(municipality)
    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(lambda s: runtime.check(cell.app(s), command, timeout=SECONDS).strip(), systems))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m centre.sandbox.fill", description=__doc__.split(":")[0])
    parser.add_argument("--env", default="dev", help="environment (default dev)")
    parser.add_argument("--municipality", required=True, help="KSH code, five digits")
    parser.add_argument("--seed", type=int, default=1, help="another number makes other people (default 1)")
    chosen = parser.parse_args()
    try:
        register = load(chosen.env)
        register.municipality(chosen.municipality)
        for line in fill(register, Runtime(register), chosen.municipality, chosen.seed):
            print(line)
    except (RegisterError, Unreachable, RuntimeFault) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
