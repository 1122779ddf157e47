"""`make mutation`: plant each mutant in a copy of this tree, run its nearest tests, and say which nobody noticed.

What is known stays: a mutant is tried again only when its file, its tests or the mutant itself changed. Neither mutmut
nor cosmic-ray does this here: see docs/mutants.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from inventory import paths
from inventory.files import write_whole
from tests.mutants.catalogue import Mutant, MutantFault, matching, mutants

RESULTS = paths.LOCAL / "mutation.json"
TABLE = paths.ROOT / "docs" / "mutants.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
# Seconds for the nearest tests of one mutant: the slowest take half a minute on a quiet machine, and a fault that makes
# them run on is noticed.
LONGEST = 240
NOTICED, MISSED, SLOW = "noticed", "missed", "too slow"
NOTHING_RUN = (4, 5)  # pytest's exit codes for arguments that it does not take, and for no tests
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("words", nargs="*", help="areas, ids or paths of the files to try (default: all)")
    parser.add_argument("--again", action="store_true", help="try also those whose result is known")
    parser.add_argument("--table", action="store_true", help=f"only write {TABLE.name} from what is known")
    options = parser.parse_args()
    try:
        selection = matching(options.words)
        if not options.table:
            _try_all(selection, options.again)
        results = _results()
        _write_table(results)
    except MutantFault as fault:
        print(f"mutation: {fault}", file=sys.stderr)
        return 2
    missed = [mutant for mutant in selection if _outcome(mutant, results) in (MISSED, None) and not mutant.left]
    for mutant in missed:
        print(f"{_outcome(mutant, results) or 'not tried'}: {mutant.area}/{mutant.id} in {mutant.file}: {mutant.why}")
    print(f"{len(selection) - len(missed)} of {len(selection)} mutants noticed or argued")
    return 1 if missed else 0


def _results() -> dict[str, dict[str, str]]:
    """`area/id` → digest and outcome."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}


def _outcome(mutant: Mutant, results: dict[str, dict[str, str]]) -> str | None:
    """What came of it the last time that its files were as they are now; None when it was not tried since."""
    result = results.get(f"{mutant.area}/{mutant.id}", {})
    return result.get("outcome") if result.get("digest") == mutant.digest(paths.ROOT) else None


def _try_all(selection: list[Mutant], again: bool) -> None:
    results = _results()
    waiting = [mutant for mutant in selection if again or _outcome(mutant, results) is None]
    if not waiting:
        return
    with tempfile.TemporaryDirectory(prefix="asp-mutants-") as folder:
        root = Path(folder)
        _copy(root)
        _prove_sound(root, waiting)
        for number, mutant in enumerate(waiting, 1):
            began = time.monotonic()
            digest = mutant.digest(root)
            text = mutant.plant(root)
            try:
                outcome = _run(root, mutant.tests)
            finally:
                (root / mutant.file).write_text(text, encoding="utf-8")
            seconds = time.monotonic() - began
            print(f"{number}/{len(waiting)} {mutant.area}/{mutant.id}: {outcome} in {seconds:.0f} s", flush=True)
            _remember(mutant, digest, outcome)


def _remember(mutant: Mutant, digest: str, outcome: str) -> None:
    results = _results()  # as it is now: another area may be tried at the same time
    results[f"{mutant.area}/{mutant.id}"] = {"digest": digest, "outcome": outcome}
    RESULTS.parent.mkdir(exist_ok=True)
    write_whole(RESULTS, json.dumps(results, indent=1, sort_keys=True) + "\n")


def _copy(root: Path) -> None:
    """All files of the tree that are not ignored, as they are now."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=paths.ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, names):
        if (source := paths.ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)


def _prove_sound(root: Path, waiting: Iterable[Mutant]) -> None:
    """Tests that fail without a fault would notice every one."""
    tests = sorted({test for mutant in waiting for test in mutant.tests})
    for kind in ("tests/systems", ""):  # the systems tests are a process of their own, as in `make test`
        part = [test for test in tests if test.startswith("tests/systems") == bool(kind)]
        if part and (outcome := _run(root, part, LONGEST * len(part))) != MISSED:
            raise MutantFault(f"without any fault the tests fail ({outcome}): {' '.join(part)}. Mend them first")


def _run(root: Path, tests: Iterable[str], seconds: float = LONGEST) -> str:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [*PYTEST, *tests], cwd=root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return SLOW
    if process.returncode in NOTHING_RUN:
        raise MutantFault(f"pytest could not run {' '.join(tests)}: {output[-1500:]}")
    return NOTICED if process.returncode else MISSED


def _write_table(results: dict[str, dict[str, str]]) -> None:
    """Put the table by area into the documentation, and under it every mutant that is left, with its reason."""
    counts: dict[str, Counter[str]] = {}
    notes = []
    for mutant in mutants():
        outcome = _outcome(mutant, results) or "not tried"
        if outcome == MISSED and mutant.left:
            item = f"- {mutant.area}/{mutant.id} (`{mutant.file}`): {mutant.why}. {mutant.left}"
            notes.append(textwrap.fill(item, 120, subsequent_indent="  ", break_on_hyphens=False))
            outcome = "argued"
        counts.setdefault(mutant.area, Counter())[NOTICED if outcome == SLOW else outcome] += 1
    columns = (NOTICED, MISSED, "argued", "not tried")
    rows = [f"| area | mutants | {' | '.join(columns)} |", f"|---|---{'|---:' * len(columns)}|"]
    total: Counter[str] = Counter()
    for area, count in sorted(counts.items()):
        rows.append(f"| {area} | {count.total()} | {' | '.join(str(count[column]) for column in columns)} |")
        total += count
    rows.append(f"| **all** | {total.total()} | {' | '.join(str(total[column]) for column in columns)} |")
    if notes:
        rows += ["", "Left, with the reason:", "", *notes]
    text = TABLE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = "\n".join([f"As of {date.today()}.", "", *rows])
    write_whole(TABLE, f"{head}{BEGIN}\n\n{lines}\n\n{END}{tail}")


sys.exit(main())
