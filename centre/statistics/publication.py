"""What is published of one day: each measure's total, its parts, and the same by county; page, CSV and JSON."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from centre.statistics import disclosure, protection
from centre.statistics.disclosure import Cell, Kind, Rule
from centre.statistics.figures import Delivered
from centre.statistics.protection import Rounding
from inventory.files import write_whole
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets

HERE = Path(__file__).parent
UNITS = {"count": "db", "forint": "Ft"}
NOT_TOLD = ".."  # as the statistical office writes what it must not tell
ROUNDED, WITHHELD = "kerekített adatok összege", "nem közölhető"  # how each number of the table is protected


@dataclass(frozen=True)
class Line:
    """One number. `value`: None when it is not told."""

    name: str
    value: int | None


@dataclass(frozen=True)
class Measure:
    """One measure of one system: its total, and its parts by dimension and by county."""

    name: str
    kind: Kind
    total: int | None
    parts: Sequence[Line]
    counties: Sequence[Line]

    @property
    def unit(self) -> str:
        return "" if self.name.endswith(")") else UNITS[self.kind]  # some say their own: területe (m²)


@dataclass(frozen=True)
class Chapter:
    """One system. `delivered` of `due` municipalities gave its figures."""

    id: str
    name: str
    due: int
    delivered: int
    measures: Sequence[Measure]


@dataclass(frozen=True)
class Publication:
    """What is told of one day, and how it is protected. `provisional`: municipalities that are not live count too.

    `count_step`, `forint_step`: the least by which each municipality's figures were rounded before they were added up.
    """

    environment: str
    day: dt.date
    municipalities: int
    inhabitants: int
    provisional: bool
    smallest: int
    remainder: float
    count_step: int
    forint_step: int
    chapters: Sequence[Chapter] = field(default_factory=list)


def rule(register: Register) -> Rule:
    """The register's thresholds."""
    return Rule(register.statistics.smallest_count, register.statistics.remainder_percent)


def rounding_of(register: Register, secrets: Secrets) -> Rounding:
    """The register's steps with the environment's secret."""
    key = secrets.password("statistics_key").encode()
    return Rounding(key, register.statistics.count_step, register.statistics.forint_step)


def compile_day(
    register: Register,
    day: dt.date,
    municipalities: Sequence[Municipality],
    delivering: Sequence[str],
    delivered: Mapping[str, Delivered],
    rounding: Rounding,
    provisional: bool = False,
) -> Publication:
    """The publication of what municipalities delivered. Exact figures end here: what follows sees rounded ones."""
    delivered = protection.protect(delivered, rounding)
    limits = rule(register)
    counties = {municipality.ksh: municipality.settlement.county for municipality in municipalities}
    chapters = [
        Chapter(
            system,
            register.systems[system].name,
            due=sum(system in municipality.systems for municipality in municipalities),
            delivered=sum(system in delivery.systems for delivery in delivered.values()),
            measures=list(_measures(_cells(system, delivered), counties, limits)),
        )
        for system in delivering
    ]
    return Publication(
        register.environment.id,
        day,
        len(municipalities),
        sum(municipality.settlement.population for municipality in municipalities),
        provisional,
        limits.smallest,
        limits.remainder,
        rounding.count_step,
        rounding.forint_step,
        chapters,
    )


def _cells(system: str, delivered: Mapping[str, Delivered]) -> dict[tuple[str, Kind], dict[str, dict[str, int]]]:
    """(measure, kind) → dimension → municipality → value."""
    cells: dict[tuple[str, Kind], dict[str, dict[str, int]]] = {}
    for ksh, delivery in delivered.items():
        for source, measure, dimension, kind, value in delivery.figures:
            if source == system:
                cells.setdefault((measure, kind), {}).setdefault(dimension, {})[ksh] = value
    return cells


def _measures(
    cells: Mapping[tuple[str, Kind], Mapping[str, Cell]], counties: Mapping[str, str], limits: Rule
) -> Iterator[Measure]:
    for (name, kind), parts in sorted(cells.items()):
        whole = disclosure.merged(list(parts.values()))
        by_county: dict[str, dict[str, int]] = {}
        for ksh, value in whole.items():
            by_county.setdefault(counties[ksh], {})[ksh] = value
        public = disclosure.tellable(whole, kind, limits)
        yield Measure(
            name,
            kind,
            disclosure.total(whole) if public else None,
            _lines(parts, kind, limits, public) if len(parts) > 1 else [],  # a single part is the measure itself
            _lines(by_county, kind, limits, public),
        )


def _lines(cells: Mapping[str, Cell], kind: Kind, limits: Rule, public: bool) -> list[Line]:
    """Parts of a total. Where the total is not told, no part is: there would be something to add up."""
    kept_back = disclosure.hidden(cells, kind, limits) if public else set(cells)
    return [Line(name, None if name in kept_back else disclosure.total(cells[name])) for name in sorted(cells)]


def write(publication: Publication, folder: Path) -> list[Path]:
    """Write the three files; their paths. The JSON comes last: with it the day counts as published."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.html": html(publication),
        "figures.csv": table(publication),
        "figures.json": json.dumps(asdict(publication), default=str, ensure_ascii=False, indent=1) + "\n",
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def published(folder: Path) -> bool:
    return (folder / "figures.json").exists()


def table(publication: Publication) -> str:
    """The numbers as CSV with semicolons: one line a number, `..` where it is not told."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\n")
    writer.writerow(["nap", "rendszer", "mutató", "bontás", "vármegye", "egység", "érték", "védelem"])
    for chapter in publication.chapters:
        for measure in chapter.measures:
            rows = [("", "", measure.total)]
            rows += [(line.name, "", line.value) for line in measure.parts]
            rows += [("", line.name, line.value) for line in measure.counties]
            for part, county, value in rows:
                cells = (NOT_TOLD, WITHHELD) if value is None else (value, ROUNDED)
                writer.writerow([publication.day, chapter.id, measure.name, part, county, measure.unit, *cells])
    return stream.getvalue()


def html(publication: Publication) -> str:
    """The page: no script, no external resource."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    return environment.get_template("report.html.j2").render(p=publication, not_told=NOT_TOLD)


def number(value: int | None) -> str:
    """11253 → 11 253, with spaces that do not break; what is not told as two dots."""
    if value is None:
        return NOT_TOLD
    return f"{value:,}".replace(",", "\u00a0")
