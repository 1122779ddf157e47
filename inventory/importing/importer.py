"""Register entries from the statistical office's list of settlements: a county or the whole country.

Entries start in phase preparation. What exists is kept as it stands. Every row of the selection ends as a new entry, as
kept, or as reported with its line, value and reason: the three counts add up to the rows read (`ImportOutcome.rows`).
"""

from __future__ import annotations

import csv
import difflib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from inventory.cell_size import largest
from inventory.errors import Fault, RegisterError
from inventory.gazetteer import LIST, MEMBERS, OWN_OFFICE, SEATS, Settlement, by_name, county_name
from inventory.importing.places import Places
from inventory.importing.target import Target
from inventory.models import Cell, Municipality
from inventory.names import slugify

NOTHING_REQUIRED = Places()
CAPACITY = largest().tenants  # of a new cell (docs/adr/0002: unit of hosting and of failure)


@dataclass(frozen=True)
class Row:
    """A row of the list with its line in the file (the heading is line 1)."""

    line: int
    settlement: Settlement


@dataclass(frozen=True)
class Report:
    """A row that gave no new entry, or gave none because it is there already."""

    line: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field} = {self.value!r}: {self.reason}"


@dataclass
class ImportOutcome:
    """What an import did, or with `dry_run` would do."""

    rows: int = 0
    entries: list[Path] = field(default_factory=list)
    offices: list[Path] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    unchanged: list[Report] = field(default_factory=list)
    reported: list[Report] = field(default_factory=list)
    places: Places | None = None  # of a new environment

    def balance(self) -> str:
        """One line that shows that no row was lost; RuntimeError when one was."""
        entries, unchanged, reported = len(self.entries), len(self.unchanged), len(self.reported)
        line = f"{self.rows} rows = {entries} entries + {unchanged} kept + {reported} reported"
        if self.rows != entries + unchanged + reported:
            raise RuntimeError(f"rows were lost: {line}")
        return line


def import_settlements(
    into: Path,
    template: Path,
    county: str | None,
    dry_run: bool = False,
    source: Path = LIST,
    required: Places = NOTHING_REQUIRED,
) -> ImportOutcome:
    """Add the settlements of a county (None: all) to the environment folder `into`.

    `template`: an environment.yaml to start from where `into` has none; `required`: the subnet and ports that a new one
    must have. RegisterError when the list, the county or what `into` holds cannot be used, or when the result would not
    be sound; then nothing is written.
    """
    outcome = ImportOutcome()
    rows = _rows(source, county, outcome)
    target = Target(into, template, required)
    outcome.places = target.places
    usable = _usable(rows, target, outcome)
    cells = _Cells(target.cells, target.entries.values())
    for seat, members in _offices(usable, rows):
        if seat.ksh not in target.seats:
            outcome.offices.append(target.add_office(seat))
        for member, cell in zip(members, cells.place(seat.county, len(members)), strict=True):
            outcome.entries.append(target.add_municipality(member, seat, cell))
    outcome.cells = cells.added
    target.add_cells(cells.added)
    outcome.balance()
    target.commit(dry_run)
    return outcome


def _rows(source: Path, county: str | None, outcome: ImportOutcome) -> list[Row]:
    """The selection's rows; those that are no settlement as the list describes one are reported."""
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            raw = [(reader.line_num, row) for row in reader]
            columns = set(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RegisterError(
            [Fault(source.name, "(file)", str(error), "cannot be read as CSV", "Correct it")]
        ) from error
    if missing := set(Settlement.model_fields) - columns:
        names = ", ".join(sorted(missing))
        raise RegisterError(
            [Fault(source.name, "(heading)", names, "columns are missing", "Use the list as published")]
        )
    counties = {row["county"] for _, row in raw if row["county"]}
    if county is not None:
        if (name := county_name(county)) not in counties:
            county_names = ", ".join(sorted(counties))
            raise RegisterError(
                [Fault(source.name, "county", county, "no such county in the list", f"Known: {county_names}")]
            )
        county = name
    selected = [(line, row) for line, row in raw if county in (None, row["county"])]
    outcome.rows = len(selected)
    rows: list[Row] = []
    lines: dict[str, int] = {}  # KSH code → where it stood first
    for line, raw_row in selected:
        row = _read_row(line, raw_row)
        if isinstance(row, Report):
            outcome.reported.append(row)
        elif (ksh := row.settlement.ksh) in lines:
            outcome.reported.append(Report(line, "ksh", ksh, f"a duplicate of line {lines[ksh]}"))
        else:
            lines[ksh] = line
            rows.append(row)
    return rows


def _read_row(line: int, raw: dict[str, str]) -> Row | Report:
    if None in raw or None in raw.values():
        return Report(line, "(row)", ",".join(str(value) for value in raw.values()), "another number of columns")
    try:
        settlement = Settlement.model_validate(raw)
    except ValidationError as error:
        problem = error.errors()[0]
        return Report(line, str(problem["loc"][0]), str(problem["input"]), problem["msg"])
    if settlement.is_capital:
        return Report(line, "name", settlement.name, "the capital is no tenant of the ASP; its districts are")
    for name, sound in (
        ("ksh", re.fullmatch(r"\d{5}", settlement.ksh)),
        ("name", slugify(settlement.name)),
        ("county", settlement.county),
        ("office_kind", settlement.office_kind in (OWN_OFFICE, *SEATS, *MEMBERS)),
    ):
        if not sound:
            return Report(line, name, getattr(settlement, name), "not of the form that data/README.md describes")
    return Row(line, settlement)


def _usable(rows: list[Row], target: Target, outcome: ImportOutcome) -> list[Row]:
    """Rows that can become entries; the others are kept or reported."""
    slugs: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        slugs[row.settlement.slug].append(row)
    by_name: dict[str, Row] = {}
    for row in rows:
        name, ksh, slug = row.settlement.name, row.settlement.ksh, row.settlement.slug
        others = [other.settlement.name for other in slugs[slug] if other is not row]
        if ksh in target.files:
            outcome.unchanged.append(Report(row.line, "ksh", ksh, f"{name} is kept as {target.files[ksh].name} has it"))
        elif others or slug in target.slugs:
            other = ", ".join(others) or target.slugs[slug]
            reason = f"slug collision: folds to {slug!r} like {other}; add it by hand with a host_slug of its own"
            outcome.reported.append(Report(row.line, "name", name, reason))
        else:
            by_name[name] = row
    usable = []
    seats = {row.settlement.name: row for row in rows}
    for row in by_name.values():
        seat = row.settlement.office_seat
        seat_exists = seat in seats and seats[seat].settlement.ksh in target.seats
        if row.settlement.office_kind not in MEMBERS or seat in by_name or seat_exists:
            usable.append(row)
        else:
            outcome.reported.append(Report(row.line, "office_seat", seat, _no_seat(row, seats)))
    outcome.reported.sort(key=lambda report: report.line)
    return usable


def _no_seat(row: Row, seats: dict[str, Row]) -> str:
    name = row.settlement.office_seat
    if name in seats:
        return f"its office's seat could not be imported (line {seats[name].line})"
    near = difflib.get_close_matches(name, by_name(), 1)
    hint = f"; the nearest name is {near[0]}" if near else ""
    if name in by_name():
        return f"its office's seat is not in this selection (it lies in {by_name()[name].county})"
    return f"names no settlement of the list{hint}; add {row.settlement.name} by hand with office and office_source"


def _offices(usable: list[Row], rows: list[Row]) -> list[tuple[Settlement, list[Settlement]]]:
    """New municipalities by office, in the order of the list: (seat, members with the seat first)."""
    by_seat = {row.settlement.name: row.settlement for row in rows}
    members: dict[str, list[Settlement]] = defaultdict(list)
    for row in usable:
        settlement = row.settlement
        members[settlement.office_seat if settlement.office_kind in MEMBERS else settlement.name].append(settlement)
    return [
        (by_seat[seat], sorted(settlements, key=lambda settlement: (settlement.name != seat, settlement.ksh)))
        for seat, settlements in members.items()
    ]


class _Cells:
    """Places municipalities in cells of their county; an office's members stay together where they fit."""

    def __init__(self, existing: list[Cell], entries: Iterable[Municipality]):
        self.added: list[Cell] = []
        self._cells = list(existing)
        self._free = {cell.id: cell.capacity for cell in existing}
        for entry in entries:
            if entry.cell in self._free:
                self._free[entry.cell] -= 1

    def place(self, county: str, count: int) -> list[str]:
        """Ids of cells for `count` municipalities of one office."""
        for cell in self._cells:
            if cell.county == county and self._free[cell.id] >= count:
                self._free[cell.id] -= count
                return [cell.id] * count
        if count > CAPACITY:  # an office larger than a cell: no such office is known, but a row is never lost
            return self.place(county, CAPACITY) + self.place(county, count - CAPACITY)
        cell = Cell(id=self._new_id(county), county=county, capacity=CAPACITY, nodes=1)
        self._cells.append(cell)
        self.added.append(cell)
        self._free[cell.id] = CAPACITY - count
        return [cell.id] * count

    def _new_id(self, county: str) -> str:
        """`baz2`: initials of a county of several words, else its first three letters, and the next free number."""
        parts = slugify(county).split("-")
        prefix = "".join(part[0] for part in parts) if len(parts) > 1 else parts[0][:3]
        return next(f"{prefix}{n}" for n in itertools.count(1) if f"{prefix}{n}" not in self._free)
