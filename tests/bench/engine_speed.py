"""E1: time of the engine against the real CLI's, volumes only, file backend.

``python -m tests.bench.engine_speed [--sizes 7,100,300,1000]``. The CLI's recorded figures stand beside; with a
``pulumi`` on PATH (and its docker plugin) it is measured in the same run. Nothing is asserted: absolute times depend
on the machine and on what else runs there.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.engine.harness import Sandbox

RECORDED = {100: (2.9, 2.1), 300: (9.4, 3.5), 1000: (78.0, 9.0)}  # size -> (create, no-op), seconds, CLI 3.260
PROGRAM = "for i in range(%d):\n    docker.Volume(f'v{i}', name=f'{P}-v{i}')\n"
LIMIT = 1200
HEAD = "  size         create (processor)     no-op           destroy        CLI create     no-op          ratios"


def measure(command: list[str], sandbox: Sandbox, *arguments: str) -> tuple[float, float]:
    """Seconds, and processor seconds, of one command, which must succeed."""
    began, used = time.monotonic(), _processor()
    subprocess.run(
        [*command, *arguments],
        cwd=sandbox.project,
        env=sandbox.environment,
        check=True,
        timeout=LIMIT,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began, _processor() - used


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def series(command: list[str], size: int, folder: Path) -> list[tuple[float, float]]:
    """Seconds to create, to find nothing to do (best of three) and to destroy ``size`` volumes."""
    sandbox = Sandbox(folder)
    sandbox.write(PROGRAM % size)
    measure(command, sandbox, "stack", "init", "dev")
    try:
        create = measure(command, sandbox, "up", "--yes", "--skip-preview", "-s", "dev")
        nothing = min(measure(command, sandbox, "up", "--yes", "--skip-preview", "-s", "dev") for _ in range(3))
        destroy = measure(command, sandbox, "destroy", "--yes", "--skip-preview", "-s", "dev")
    finally:
        sandbox.close()
    return [create, nothing, destroy]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="7,100,300,1000")
    args = parser.parse_args()
    engines = {"engine": [sys.executable, "-m", "stacks.engine"]}
    if shutil.which("pulumi"):
        engines["cli"] = ["pulumi"]
    print(HEAD)
    for size in [int(text) for text in args.sizes.split(",")]:
        for name, command in engines.items():
            with tempfile.TemporaryDirectory(prefix="eh-bench-") as folder:
                measured = series(command, size, Path(folder))
            create, nothing = measured[0][0], measured[1][0]
            row = f"{size:>6}{name:>8}" + "".join(f"{wall:>8.2f}s ({cpu:>5.2f})" for wall, cpu in measured)
            if size in RECORDED:
                cli_create, cli_nothing = RECORDED[size]
                row += f"{cli_create:>11.1f}s{cli_nothing:>10.1f}s"
                row += f"{cli_create / create:>8.1f}x{cli_nothing / nothing:>6.1f}x"
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
