"""E1: time of the engine against the real CLI's, volumes only, file backend.

``python -m tests.bench.engine_speed [--sizes 7,100,300,1000] [--before FOLDER]``. The CLI's recorded figures stand
beside; with a ``pulumi`` on PATH (and its docker plugin) it is measured in the same run, as is the engine of another
checkout with ``--before``. Nothing is asserted: absolute times depend on the machine and on what else runs there.
Processor seconds, which stand in brackets, depend less on the latter.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.engine.harness import ROOT, Sandbox

# size -> (create, no-op), seconds of CLI 3.260, which ran beside the engine on one machine; 7: no-op only
RECORDED = {7: (None, 1.37), 100: (2.89, 1.71), 300: (8.64, 4.11), 1000: (61.5, 6.52)}
PROGRAM = "for i in range(%d):\n    docker.Volume(f'v{i}', name=f'{P}-v{i}')\n"
LIMIT = 1200
HEAD = "  size         create (processor)     no-op           destroy        CLI create     no-op          ratios"


def measure(command: list[str], sandbox: Sandbox, *arguments: str) -> tuple[float, float]:
    """Seconds, and processor seconds, of one command, which must succeed."""
    began, used = time.monotonic(), _processor()
    process = subprocess.Popen(
        [*command, *arguments], cwd=sandbox.project, env=sandbox.environment, stdout=subprocess.DEVNULL
    )
    # A wait with a timeout looks every 50 ms only, which is a tenth of a small run.
    limit = threading.Timer(LIMIT, process.kill)
    limit.start()
    try:
        status = process.wait()
        elapsed = time.monotonic() - began
    finally:
        limit.cancel()
    if status:
        raise subprocess.CalledProcessError(status, [*command, *arguments])
    return elapsed, _processor() - used


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def series(command: list[str], size: int, folder: Path, tree: str) -> list[tuple[float, float]]:
    """Seconds to create, to find nothing to do (best of three) and to destroy ``size`` volumes."""
    sandbox = Sandbox(folder)
    sandbox.environment["PYTHONPATH"] = tree
    # An operator's Python keeps its bytecode; without, compiling the engine anew adds a tenth of a second to a run.
    sandbox.environment.pop("PYTHONDONTWRITEBYTECODE", None)
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
    parser.add_argument("--before", metavar="FOLDER", help="another checkout, whose engine is measured, too")
    args = parser.parse_args()
    engine = [sys.executable, "-m", "stacks.engine"]
    engines = {"before": (engine, args.before)} if args.before else {}
    engines["engine"] = (engine, str(ROOT))
    if shutil.which("pulumi"):
        engines["cli"] = (["pulumi"], str(ROOT))
    print(HEAD)
    for size in [int(text) for text in args.sizes.split(",")]:
        for name, (command, tree) in engines.items():
            with tempfile.TemporaryDirectory(prefix="eh-bench-") as folder:
                measured = series(command, size, Path(folder), tree)
            create, nothing = measured[0][0], measured[1][0]
            row = f"{size:>6}{name:>8}" + "".join(f"{wall:>8.2f}s ({cpu:>5.2f})" for wall, cpu in measured)
            if size in RECORDED:
                cli_create, cli_nothing = RECORDED[size]
                row += f"{f'{cli_create:.2f}s' if cli_create else '–':>12}{cli_nothing:>10.2f}s"
                row += f"{f'{cli_create / create:.1f}x' if cli_create else '–':>9}{cli_nothing / nothing:>6.1f}x"
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
