"""How many tests each folder holds, exactly: a glob or parametrisation that lost some is an error, not a faster run.

`make counts` writes `counts.json` anew, after tests were added or removed on purpose.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

TESTS = Path(__file__).parent
FILE = TESTS / "counts.json"


def suites() -> list[str]:
    """Folders that hold tests, those of `live` one by one."""
    places = [file.relative_to(TESTS).parts for file in TESTS.rglob("test_*.py")]
    return sorted({"/".join(parts[: 2 if parts[0] == "live" else 1]) for parts in places})


LINE = re.compile(r"^(tests/\S+\.py): (\d+)$", re.M)  # as pytest tells it, quietly


def of_files(files: Iterable[Path]) -> dict[str, int]:
    """Folder below `tests/` → tests, from the file of each test."""
    return dict(sorted(Counter(str(file.parent.relative_to(TESTS)) for file in files).items()))


def differences(recorded: Mapping[str, int], collected: Mapping[str, int], arguments: Iterable[Path]) -> list[str]:
    """Folders that were asked for as a whole and hold another number of tests than is recorded."""
    whole = [folder for folder in arguments if folder.is_dir()]
    names = [name for name in sorted(recorded.keys() | collected.keys()) if _within(TESTS / name, whole)]
    return [
        f"tests/{name}: {collected.get(name, 0)} tests collected, recorded are {recorded.get(name, 0)}"
        for name in names
        if collected.get(name, 0) != recorded.get(name, 0)
    ]


def _within(folder: Path, whole: Iterable[Path]) -> bool:
    return any(folder == one or one in folder.parents for one in whole)


def main() -> int:
    """Collect every suite, each in a process of its own (unit and systems tests set Django up differently)."""
    counts: dict[str, int] = {}
    for suite in suites():
        command = [sys.executable, "-m", "pytest", "--collect-only", "--override-ini=addopts=", "-qq", f"tests/{suite}"]
        process = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)
        numbers = dict(LINE.findall(process.stdout))
        if process.returncode or not numbers:
            print(f"tests/{suite} cannot be collected:\n{process.stdout[-3000:]}{process.stderr}", file=sys.stderr)
            return 1
        counts |= of_files(TESTS.parent / file for file, number in numbers.items() for _ in range(int(number)))
    FILE.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{sum(counts.values())} tests in {len(counts)} folders written to {FILE.relative_to(TESTS.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
