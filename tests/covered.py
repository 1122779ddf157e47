"""`make coverage`: which lines and branches the unit and systems tests run, folder by folder.

It shows where nothing looks. It is no target: a line that runs is not a line whose faults are noticed, which is what
`make mutation` measures. Processes that the tests start are measured too, those that end by `os._exit` included.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from inventory import paths

FOLDER = paths.LOCAL / "coverage"
# Each in a process of its own: they set Django up differently.
SUITES = (["-n", "2", "tests/unit"], ["tests/systems"])
PYTEST = ("-m", "pytest", "-p", "no:cacheprovider")
SETTINGS = """[run]
branch = True
parallel = True
data_file = {folder}/data
source = {root}
omit =
    {root}/tests/*
    {root}/.asp/*
    */migrations/*
patch = _exit, subprocess
disable_warnings = couldnt-parse, no-data-collected
"""


@dataclass
class Sum:
    """Statements and branches of some files, and how many of them the tests have run."""

    files: int = 0
    statements: int = 0
    covered: int = 0
    branches: int = 0
    taken: int = 0

    def add(self, summary: Mapping[str, int]) -> None:
        """One more file, as coverage.py sums it up."""
        self.files += 1
        self.statements += summary["num_statements"]
        self.covered += summary["covered_lines"]
        self.branches += summary["num_branches"]
        self.taken += summary["covered_branches"]

    def row(self, name: str) -> str:
        """A line of the table."""
        lines, branches = share(self.covered, self.statements), share(self.taken, self.branches)
        return f"{name:<32}{self.files:>6}{self.statements:>11}{lines:>8}{self.branches:>10}{branches:>8}"


def share(part: int, whole: int) -> str:
    """In whole per cent, rounded down: 100 % means all."""
    return f"{100 * part // whole} %" if whole else "–"


def folder_of(file: str) -> str:
    """The part of the project that a file belongs to: the first two folders, three below `stacks/images`."""
    folders = PurePath(file).parts[:-1]
    return "/".join(folders[: 3 if folders[:2] == ("stacks", "images") else 2]) or "."


def table(files: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterable[str]:
    """Heading, a row for each folder, and the sum."""
    sums: defaultdict[str, Sum] = defaultdict(Sum)
    total = Sum()
    for file, report in files.items():
        sums[folder_of(file)].add(report["summary"])
        total.add(report["summary"])
    yield f"{'folder':<32}{'files':>6}{'statements':>11}{'run':>8}{'branches':>10}{'taken':>8}"
    yield from (sums[name].row(name) for name in sorted(sums))
    yield total.row("all")


def main() -> int:
    """Run the suites, or the tests that were named; their failures do not keep the table back."""
    parser = argparse.ArgumentParser(prog="make coverage", description=__doc__)
    parser.add_argument("tests", nargs="*", help="files or folders (default: unit and systems tests)")
    args = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.NamedTemporaryFile("w", suffix=".ini", dir=FOLDER) as settings:
        settings.write(SETTINGS.format(folder=FOLDER, root=paths.ROOT))
        settings.flush()
        coverage = [sys.executable, "-m", "coverage"]
        options = ["--rcfile", settings.name]
        runs = [args.tests] if args.tests else SUITES
        statuses = [_run(*coverage, "run", *options, *PYTEST, *run) for run in runs]
        for step in (["combine", "-q"], ["json", "-q", "--ignore-errors", "-o", str(FOLDER / "report.json")]):
            if status := _run(*coverage, step[0], *options, *step[1:]):
                return status
    report = json.loads((FOLDER / "report.json").read_text(encoding="utf-8"))
    print("\n".join(table(report["files"])))
    return max(statuses)


def _run(*command: str) -> int:
    return subprocess.run(command, cwd=paths.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
