"""The report as a page for mayor and auditor: Hungarian, self-contained, everything that was probed escaped."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from checks.report.document import AREAS, TIERS
from checks.report.model import Evidence, Report
from checks.verdicts import Verdict
from checks.wording import number

TEMPLATES = Path(__file__).resolve().parent
VERDICT_TEXT = {
    Verdict.PASS: "Megfelelt",
    Verdict.FAIL: "Nem felelt meg",
    Verdict.UNREACHABLE: "Nem érhető el",
    Verdict.NO_DATA: "Nincs adat",
    Verdict.WAIVED: "Felmentve",
}


def html(report: Report) -> str:
    """The page: no script, no external resource."""
    return _template().render(report=report, verdicts=VERDICT_TEXT, tiers=TIERS, areas=AREAS)


@functools.cache
def _template() -> Template:
    """Compiled once: that takes longer than filling it in."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"moment": _moment, "number": number, "grouped": _grouped}
    return environment.get_template("report.html.j2")


def _moment(text: str | None) -> str:
    """An ISO time as Hungarians write it, on Hungarian clocks (UTC where the machine has no time zone data)."""
    if not text:
        return "–"
    try:
        zone: ZoneInfo | None = ZoneInfo("Europe/Budapest")
    except ZoneInfoNotFoundError:
        zone = None
    return datetime.fromisoformat(text).astimezone(zone or UTC).strftime("%Y. %m. %d. %H:%M (%Z)")


def _grouped(evidence: Sequence[Evidence]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Readings of one place on one line: services › edge: running 1, wanted 1."""
    places: dict[str, list[tuple[str, str]]] = {}
    for reading in evidence:
        place, _, name = reading.what.rpartition(" › ")
        places.setdefault(place, []).append((name, reading.value))
    return list(places.items())
