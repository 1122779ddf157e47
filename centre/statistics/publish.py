"""Publish one day's totals over all municipalities for the Treasury: `python -m centre.statistics.publish --env dev`.

Reads each municipality's warehouse as its own login, adds up, keeps back what would show one municipality or few
persons, and writes page, CSV and JSON. A day is published once: a second time, with what had come since, would show
the difference. `--check` says what is there and what is missing, and writes nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from centre.statistics import figures, publication
from centre.statistics.figures import Delivered
from inventory import paths
from inventory.errors import RegisterError
from inventory.models import Municipality
from inventory.register import Register, load
from systems.shared import parts, workdays

SHOWN = 10  # municipalities with missing feeds that a refusal names


class TreasuryFault(Exception):
    """The day cannot be published; the message says what was seen and what is wanted. Nothing was written."""


def day_of(text: str | None, today: dt.date) -> dt.date:
    """The day asked for, which is over; yesterday by default. TreasuryFault otherwise."""
    try:
        day = dt.date.fromisoformat(text) if text else today - dt.timedelta(days=1)
    except ValueError:
        raise TreasuryFault(f"--day: wanted a day, as {today - dt.timedelta(days=1)}; seen: {text!r}") from None
    if day >= today:
        raise TreasuryFault(f"--day {day}: wanted a day that is over, {today - dt.timedelta(days=1)} at the latest")
    return day


def gather(
    register: Register, runtime: Runtime, day: dt.date, with_connecting: bool
) -> tuple[list[Municipality], list[str], dict[str, Delivered]]:
    """Municipalities that count, systems that deliver, and what each municipality has of the day."""
    municipalities = figures.counted(register, with_connecting)
    if not municipalities:
        raise TreasuryFault(
            f"environment {register.environment.id} has no live municipality with {figures.WAREHOUSE}; wanted at least "
            "one, or --with-connecting for a trial"
        )
    delivered: dict[str, Delivered] = {}
    for cell in sorted({municipality.cell for municipality in municipalities}):
        own = [municipality for municipality in municipalities if municipality.cell == cell]
        print(f"cell {cell}: {len(own)} municipalities", flush=True)
        delivered |= figures.read(CellSql(runtime, cell), own, day)
    delivering = [system for system in register.installed_systems if parts.delivers(system)]
    return municipalities, delivering, delivered


def lacking(
    municipalities: Sequence[Municipality], delivering: Collection[str], delivered: Mapping[str, Delivered]
) -> list[str]:
    """A line for each municipality with missing feeds."""
    return [
        f"{municipality.name} ({municipality.ksh}): {', '.join(systems)}"
        for municipality, systems in figures.missing(municipalities, delivering, delivered)
    ]


def main() -> int:
    """Exit 0 when published (or with --check looked at), 1 when the day cannot be, 2 for the register's faults."""
    parser = argparse.ArgumentParser(prog="python -m centre.statistics.publish", description=__doc__.split(":")[0])
    parser.add_argument("--env", default="dev", help="environment (default dev)")
    parser.add_argument("--day", help="day, as 2026-11-22 (default: yesterday)")
    parser.add_argument("--out", type=Path, help="folder (default: the environment's folder, treasury/<day>)")
    parser.add_argument(
        "--incomplete", action="store_true", help="publish without the feeds that are missing, for good"
    )
    parser.add_argument("--with-connecting", action="store_true", help="a trial: count those being connected as well")
    parser.add_argument("--check", action="store_true", help="only say what is there and what is missing")
    chosen = parser.parse_args()
    try:
        register = load(chosen.env)
        day = day_of(chosen.day, dt.datetime.now(workdays.ZONE).date())
        folder = chosen.out or paths.environment_dir(chosen.env) / "treasury" / day.isoformat()
        if publication.published(folder) and not chosen.check:
            raise TreasuryFault(f"{day} is published already, in {folder}; a second time would show what came between")
        municipalities, delivering, delivered = gather(register, Runtime(register), day, chosen.with_connecting)
        gaps = lacking(municipalities, delivering, delivered)
        if chosen.check:
            whole = len(municipalities) - len(gaps)
            print("\n".join([f"{day}: {whole} of {len(municipalities)} municipalities have every feed", *gaps]))
            return 0
        if gaps and not chosen.incomplete:
            more = f"\n  and {len(gaps) - SHOWN} more" if len(gaps) > SHOWN else ""
            raise TreasuryFault(
                f"{day}: feeds are missing, wanted all of them (or --incomplete, which leaves them out for good):\n  "
                + "\n  ".join(gaps[:SHOWN])
                + more
            )
        compiled = publication.compile_day(register, day, municipalities, delivering, delivered, chosen.with_connecting)
        for file in publication.write(compiled, folder):
            print(file)
    except RegisterError as error:
        print(f"{error.headline}\n{error}", file=sys.stderr)
        return 2
    except (TreasuryFault, Unreachable, RuntimeFault) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
