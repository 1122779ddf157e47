"""`make mutation`: plant each mutant in a copy of this tree, run its nearest tests, and say which nobody noticed.

What is known stays: a mutant is tried again only when its file, its tests or the mutant itself changed. Neither mutmut
nor cosmic-ray does this here: see docs/mutants.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from queue import Empty, Queue
from threading import Lock

from inventory import paths
from inventory.files import write_whole
from tests.mutants.bench import LONGEST, MISSED, NOTICED, SLOW, SYSTEMS, Bench
from tests.mutants.catalogue import Mutant, MutantFault, matching, mutants

RESULTS = paths.LOCAL / "mutation.json"
TABLE = paths.ROOT / "docs" / "mutants.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
WRITING = Lock()  # of what is known


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("words", nargs="*", help="areas, ids or paths of the files to try (default: all)")
    parser.add_argument("--again", action="store_true", help="try also those whose result is known")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try side by side (default: %(default)s)")
    parser.add_argument("--table", action="store_true", help=f"only write {TABLE.name} from what is known")
    options = parser.parse_args()
    try:
        selection = matching(options.words)
        if not options.table:
            _try_all(selection, options.again, options.jobs)
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


def _try_all(selection: list[Mutant], again: bool, jobs: int) -> None:
    results = _results()
    waiting = [mutant for mutant in selection if again or _outcome(mutant, results) is None]
    if not waiting:
        return
    # Those that start a PostgreSQL last, with the proof of their tests: an interrupted run has tried most by then. They
    # are a process of their own, as in `make test`.
    parts = [[mutant for mutant in waiting if mutant.tests[0].startswith(SYSTEMS) == late] for late in (False, True)]
    with ExitStack() as stack:
        benches = [stack.enter_context(Bench()) for _ in range(min(jobs, len(waiting)))]
        numbers = itertools.count(1)
        for part in filter(None, parts):
            _prove_sound(benches, part)
            numbered: Queue[tuple[int, Mutant]] = Queue()
            for mutant in part:
                numbered.put((next(numbers), mutant))
            with ThreadPoolExecutor(len(benches)) as pool:
                ends = [pool.submit(_work, bench, numbered, len(waiting)) for bench in benches]
            for end in ends:
                end.result()


def _work(bench: Bench, numbered: Queue[tuple[int, Mutant]], total: int) -> None:
    """Try the next mutant on this bench until none waits."""
    while True:
        try:
            number, mutant = numbered.get_nowait()
        except Empty:
            return
        began = time.monotonic()
        digest = mutant.digest(bench.root)
        text = mutant.plant(bench.root)
        try:
            outcome = bench.run(mutant.tests)
        finally:
            (bench.root / mutant.file).write_text(text, encoding="utf-8")
        seconds = time.monotonic() - began
        print(f"{number}/{total} {mutant.area}/{mutant.id}: {outcome} in {seconds:.1f} s", flush=True)
        _remember(mutant, digest, outcome)


def _remember(mutant: Mutant, digest: str, outcome: str) -> None:
    with WRITING:
        results = _results()
        results[f"{mutant.area}/{mutant.id}"] = {"digest": digest, "outcome": outcome}
        RESULTS.parent.mkdir(exist_ok=True)
        write_whole(RESULTS, json.dumps(results, indent=1, sort_keys=True) + "\n")


def _prove_sound(benches: list[Bench], waiting: Iterable[Mutant]) -> None:
    """Tests that fail without a fault would notice every one."""
    tests = sorted({test for mutant in waiting for test in mutant.tests})
    shares = [share for number in range(len(benches)) if (share := tests[number :: len(benches)])]
    with ThreadPoolExecutor(len(benches)) as pool:
        for share, outcome in zip(shares, pool.map(_run_all, benches, shares), strict=True):
            if outcome != MISSED:
                raise MutantFault(f"without any fault the tests fail ({outcome}): {' '.join(share)}. Mend them first")


def _run_all(bench: Bench, tests: list[str]) -> str:
    return bench.run(tests, LONGEST * len(tests))


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
