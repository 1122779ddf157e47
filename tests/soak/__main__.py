"""A bounded soak of a running environment: everybody works while one thing after another breaks, then all is verified.

``python -m tests.soak [--env dev] [--minutes 30] [--pause 3] [--seed N]``. Clerks and citizens come through the edge
on this machine. Exit 1 when a verdict is bad. What was seen is in the environment's folder, `soak/`. For an
environment that holds nothing of value.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.sandbox import fill
from inventory import paths
from inventory.register import Register, load
from inventory.vault import vault
from tests.soak import accounts, faults, logs, memory, windows, written
from tests.soak.crew import PAIR, Crew
from tests.soak.databases import Databases
from tests.soak.day import Day
from tests.soak.journal import used
from tests.soak.plan import plan
from tests.soak.verdict import Verdict, exit_code, table
from tests.soak.watch import Watch

ONLY = "faults: " + ", ".join(fault.name for fault in faults.ALL)
ONLY += "; and such as end whatever runs in containers on this machine, never chosen by themselves: "
ONLY += ", ".join(fault.name for fault in faults.OF_THE_MACHINE)
MOST_MINUTES = 50  # permissions last an hour


def soak(register: Register, options: argparse.Namespace, folder: Path) -> tuple[list[Verdict], dict[str, Any]]:
    """The day and its verdicts, with everything else that the report's file holds."""
    runtime, secrets = Runtime(register), vault.load(register)
    joined = [m for m in register.municipalities.values() if m.joined]
    for municipality in joined:
        if fill.empty_systems(CellSql(runtime, municipality.cell), municipality):
            print(f"filling {municipality.name} with invented data", flush=True)
            fill.fill(register, runtime, municipality.ksh)
    with tempfile.TemporaryDirectory() as papers:
        crew = Crew(register, runtime, secrets, Path(papers), options.seed)
        crew.hire()
        watch = Watch(runtime, register.environment.id)
        ground = faults.Ground(register, runtime, register.municipality(PAIR[0]), folder)
        day, seconds = Day(ground, crew, watch, options.seed), options.minutes * 60
        planned = plan(options.seed, seconds, options.pause * 60, options.only or [fault.name for fault in faults.ALL])
        print(f"{len(crew.workers)} people for {options.minutes:g} min, {len(planned)} faults", flush=True)
        watch.start()
        day.run(planned, seconds)
        end = time.time()
        watch.stop()
    print("the day is over, verifying", flush=True)
    books, journal = Databases(runtime, joined), crew.journal
    chains = books.chains(watch.begin)
    watch.read_logs()
    writes = written.expected(journal.writes)
    breaks: dict[str, list[float]] = {}
    for window in day.windows:
        breaks.setdefault(window.target, []).append(window.end)  # Keycloak takes a minute and more to start
    flat, services = memory.judge(watch.samples, watch.begin, end, breaks, watch.oom_kills())
    silent, explained = logs.judge(watch.lines, day.windows, watch.read)
    verdicts = [
        used(register.installed_systems, journal),
        windows.repaired(day.windows),
        windows.availability(journal.answers, day.windows, register.sla["availability"].value),
        accounts.judge("ledgers balanced", books.rules(accounts.LEDGERS)),
        accounts.judge("numbers without gaps", books.rules(accounts.NUMBERS)),
        chains,
        written.judge(writes, books.counts(writes)),
        flat,
        silent,
    ]
    crew.dismiss()
    report = {
        "environment": register.environment.id, "seed": options.seed, "minutes": options.minutes,
        "load": watch.loads, "begin": watch.begin, "end": end, "verdicts": [verdict.as_json() for verdict in verdicts],
        "windows": [asdict(window) for window in day.windows], "lines": [asdict(line) for line in watch.lines],
        "services": services, "samples": [asdict(sample) for sample in watch.samples],
        "explained": explained,
        "tasks": dict(sorted(journal.tasks.items())), "answers": [asdict(answer) for answer in journal.answers],
        "writes": [asdict(write) for write in journal.writes],
    }  # fmt: skip
    return verdicts, report


def confirm(env: str, names: Collection[str]) -> None:
    """Ask for the environment's name before all containers of this machine are ended; YES=1 confirms it."""
    ending = [fault.title for fault in faults.OF_THE_MACHINE if fault.name in names]
    if not ending or os.environ.get("YES") == "1":
        return
    question = f"{'; '.join(ending)}: every container on this machine ends. Type the environment's name: "
    answer = input(question) if sys.stdin.isatty() else "no terminal to ask"
    if answer != env:
        raise SystemExit(f"nothing was touched: seen {answer!r}, wanted {env!r} (or YES=1)")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default=os.environ.get("ASP_ENV", "dev"))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--pause", type=float, default=3, help="minutes from one fault to the next")
    parser.add_argument("--seed", type=int, default=18, help="of the faults and their order")
    parser.add_argument("--only", type=lambda text: text.split(","), help=ONLY)
    options = parser.parse_args()
    if not 1 <= options.minutes <= MOST_MINUTES:
        parser.error(f"--minutes {options.minutes:g}: wanted 1 to {MOST_MINUTES}")
    if strange := set(options.only or ()) - set(faults.BY_NAME):
        parser.error(f"--only: no faults {sorted(strange)}; known: {', '.join(faults.BY_NAME)}")
    confirm(options.env, options.only or ())
    folder = paths.environment_dir(options.env) / "soak"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"soak of {options.env}, seed {options.seed}", flush=True)
    verdicts, report = soak(load(options.env), options, folder)
    file = folder / f"{datetime.now():%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"\n{'service':<28}{'first':>8}{'last':>8}{'peak':>8}{'limit':>8}   MiB; growth in MiB/h")
    for row in report["services"]:
        growth = "–" if row["growth"] is None else f"{row['growth']:+.1f}"
        figures = "".join(f"{row[name]:>8}" for name in ("first", "last", "peak", "limit"))
        print(f"{row['service']:<28}{figures}   {growth}")
    for why, count in sorted(report["explained"].items()):
        print(f"explained {count:>5} × {why}")
    loads, processors = report["load"], os.cpu_count()
    if loads:  # answers that came too late on a machine with too much to do say little of the product
        average, most = statistics.mean(loads), max(loads)
        print(f"\nmachine: {processors} processors, load {average:.0f} on average, {most:.0f} at most")
    print(f"\n{table(verdicts)}\n\nreport: {file}")
    return exit_code(verdicts)


if __name__ == "__main__":
    sys.exit(main())
