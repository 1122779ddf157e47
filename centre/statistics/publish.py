"""Publish one day's totals over all municipalities for the Treasury (`playbooks/publish.yml`).

Reads each municipality's warehouse as its own login, rounds its figures, adds up, keeps back what would show one
municipality or few persons, and writes page, CSV and JSON. A day is published once: what was given out stays as it is.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from centre.statistics import figures, publication
from inventory import paths
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault import vault
from systems.shared import parts, workdays

SHOWN = 10  # municipalities with missing feeds that a refusal names


class TreasuryFault(Exception):
    """The day cannot be published; the message says what was seen and what is wanted. Nothing was written."""


def today() -> dt.date:
    """The day in Hungary."""
    return dt.datetime.now(workdays.ZONE).date()


def folder_of(env: str, day: dt.date) -> Path:
    """Where a day is published."""
    return paths.environment_dir(env) / "treasury" / day.isoformat()


def day_of(text: str | None, today: dt.date) -> dt.date:
    """The day asked for, which is over; yesterday by default. TreasuryFault otherwise."""
    try:
        day = dt.date.fromisoformat(text) if text else today - dt.timedelta(days=1)
    except ValueError:
        yesterday = today - dt.timedelta(days=1)
        raise TreasuryFault(f"day = {text!r}: wanted a day, as -e day={yesterday}") from None
    if day >= today:
        raise TreasuryFault(f"day = {day}: wanted a day that is over, {today - dt.timedelta(days=1)} at the latest")
    return day


def gather(
    register: Register, runtime: Runtime, day: dt.date, with_connecting: bool
) -> tuple[list[Municipality], list[str], dict[str, figures.Delivered]]:
    """Municipalities that count, systems that deliver, and what each municipality has of the day."""
    municipalities = figures.counted(register, with_connecting)
    if not municipalities:
        raise TreasuryFault(
            f"environment {register.environment.id} has no live municipality with {figures.WAREHOUSE}; wanted at least "
            "one, or -e with_connecting=true for a trial"
        )
    delivered: dict[str, figures.Delivered] = {}
    for cell in sorted({municipality.cell for municipality in municipalities}):
        own = [municipality for municipality in municipalities if municipality.cell == cell]
        delivered |= figures.read(CellSql(runtime, cell), own, day)
    delivering = [system for system in register.installed_systems if parts.delivers(system)]
    return municipalities, delivering, delivered


def gap_lines(
    municipalities: list[Municipality], delivering: list[str], delivered: dict[str, figures.Delivered]
) -> list[str]:
    """A line for each municipality with missing feeds."""
    return [
        f"{municipality.name} ({municipality.ksh}): {', '.join(systems)}"
        for municipality, systems in figures.missing(municipalities, delivering, delivered)
    ]


def publish(
    register: Register,
    runtime: Runtime,
    day: dt.date,
    folder: Path,
    *,
    incomplete: bool = False,
    with_connecting: bool = False,
) -> list[Path]:
    """Compile and write the day; the files. TreasuryFault when it was published before, or feeds are missing.

    `incomplete`: leave out, for good, what is missing. `with_connecting`: a trial that counts municipalities being
    connected as well.
    """
    if publication.published(folder):
        raise TreasuryFault(f"{day} is published already, in {folder}; what was given out stays as it is")
    municipalities, delivering, delivered = gather(register, runtime, day, with_connecting)
    gaps = gap_lines(municipalities, delivering, delivered)
    if gaps and not incomplete:
        listing = "; ".join(gaps[:SHOWN]) + (f"; and {len(gaps) - SHOWN} more" if len(gaps) > SHOWN else "")
        raise TreasuryFault(
            f"{day}: feeds are missing: {listing}. Wait for them, or leave them out for good with -e incomplete=true"
        )
    rounding = publication.rounding_of(register, vault.load(register))
    compiled = publication.compile_day(register, day, municipalities, delivering, delivered, rounding, with_connecting)
    return publication.write(compiled, folder)


def state(register: Register, runtime: Runtime, day: dt.date, with_connecting: bool = False) -> list[str]:
    """How many municipalities have every feed of the day, and a line for each that has not."""
    municipalities, delivering, delivered = gather(register, runtime, day, with_connecting)
    gaps = gap_lines(municipalities, delivering, delivered)
    whole = len(municipalities) - len(gaps)
    return [f"{day}: {whole} of {len(municipalities)} municipalities have every feed", *gaps]
