"""Every test file by itself: one that works only after a sibling hides what it needs.

`python -m tests.alone [FILE…]` collects each in a process of its own, two at a time.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).parent
BESIDE = 2  # processes at a time: the machine has two processors
SECONDS = 120  # for one file, on a busy machine


def fault(file: str) -> str | None:
    """What pytest says when it cannot collect the file alone; None when it can."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", file]
    process = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=SECONDS, check=False)
    return None if process.returncode == 0 else f"{file} alone: {process.stdout[-1500:]}{process.stderr[-500:]}"


def main() -> int:
    files = sys.argv[1:] or sorted(str(file.relative_to(TESTS.parent)) for file in TESTS.rglob("test_*.py"))
    with ThreadPoolExecutor(BESIDE) as pool:
        faults = [message for message in pool.map(fault, files) if message]
    print(*faults, f"{len(files) - len(faults)} of {len(files)} test files can be collected alone", sep="\n")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
