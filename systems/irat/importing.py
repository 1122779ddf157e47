"""Import of earlier registers with their numbers: cases and documents, without files. Days ISO, states in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from systems.exchange.cells import Cells, read
from systems.exchange.importing import Report, Rows
from systems.irat import handling
from systems.irat.models import ArchiveItem, Case, Direction, Document, Register

CASES, DOCUMENTS = "ugyiratok.csv", "iratok.csv"
FILES = {
    CASES: ("foszam", "targy", "allapot", "ugyintezo", "hatarido", "elintezes_modja", "elintezve", "tetelszam")
    + ("irattarba",),
    DOCUMENTS: ("iktatoszam", "irany", "kuldo", "cimzett", "targy", "erkezett", "iktatva", "iktatta")
    + ("kiadmanyozta", "expedialva", "megjegyzes"),
}
CLERK = "Migráció"
State = Case.State
STATES = {label: value for value, label in State.choices if value != State.SCRAPPED}
OUTCOMES = {label: value for value, label in Case.Outcome.choices}
DIRECTIONS = {label: value for value, label in Direction.choices}
NUMBER = re.compile(r"([A-ZÁÉÍÓÖŐÚÜŰ]{1,10})/((?:19|20)[0-9]{2})/([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,5}))?")
BATCH = 1000


def check(files: Mapping[str, Rows]) -> Report:
    """Every number is free and of a register not in use here, and every case has a document."""
    report = Report(totals={"ügyirat": 0, "irat": 0, "folyamatban lévő ügyirat": 0})
    in_use, items = _registers_in_use(), _items()
    subs: dict[str, set[int]] = {}
    for cells, values in read(files, CASES, partial(_case, items), report):
        report.totals["ügyirat"] += 1
        report.totals["folyamatban lévő ügyirat"] += values["state"] in (State.OPEN, State.ASSIGNED)
        if "main" in values:
            number = cells.raw("foszam")
            if number in subs or (values["prefix"], values["year"]) in in_use:
                cells.fault("foszam", "olyan főszám, amely még nincs, és olyan iktatókönyvé, amely itt nem indult meg")
            subs[number] = set()
    for cells, values in read(files, DOCUMENTS, _document, report):
        report.totals["irat"] += 1
        if "sub" not in values:
            continue
        numbers = subs.get(values["case"])
        if numbers is None:
            cells.fault("iktatoszam", f"a(z) {CASES} fájl egyik főszáma és egy alszám")
        elif values["sub"] in numbers:
            cells.fault("iktatoszam", "olyan alszám, amely még nincs")
        else:
            numbers.add(values["sub"])
    for cells, _ in read(files, CASES, lambda cells: {}, report):
        if subs.get(cells.raw("foszam")) == set():
            cells.fault("foszam", f"olyan, amelynek van irata a(z) {DOCUMENTS} fájlban")
    return report


def _registers_in_use() -> set[tuple[str, int]]:
    return set(Register.objects.values_list("prefix", "year"))


def _items() -> dict[str, ArchiveItem]:
    return {item.code: item for item in ArchiveItem.objects.all()}


def _parse_number(cells: Cells, column: str, with_sub: bool) -> re.Match | None:
    """The parts of a number; `with_sub`: a document's, with its sub-number."""
    parts = NUMBER.fullmatch(cells.raw(column))
    if not parts or (parts[4] is not None) != with_sub or int(parts[2]) > timezone.localdate().year:
        cells.fault(column, "iktatószám, például IKT/2019/12-1" if with_sub else "főszám, például IKT/2019/12")
        return None
    return parts


def _case(items: Mapping[str, ArchiveItem], cells: Cells) -> dict[str, Any]:
    """A case's fields; those that its state requires must be filled in."""
    state = cells.one_of("allapot", STATES)
    archived = state == State.ARCHIVED
    closed = archived or state == State.SETTLED
    values = {
        "subject": cells.text("targy", 300),
        "state": state,
        "assignee": cells.text("ugyintezo", 120, optional=state != State.ASSIGNED),
        "deadline": cells.day("hatarido", optional=state != State.ASSIGNED, future=True),
        "outcome": cells.one_of("elintezes_modja", OUTCOMES) if closed else cells.empty("elintezes_modja") or "",
        "settled_on": cells.day("elintezve") if closed else cells.empty("elintezve"),
        "item": cells.one_of("tetelszam", items) if archived else cells.empty("tetelszam"),
        "archived_on": cells.day("irattarba") if archived else cells.empty("irattarba"),
    }
    if parts := _parse_number(cells, "foszam", with_sub=False):
        values |= {"prefix": parts[1], "year": int(parts[2]), "main": int(parts[3])}
    return values


def _document(cells: Cells) -> dict[str, Any]:
    direction = cells.one_of("irany", DIRECTIONS)
    values = {
        "direction": direction,
        "sender": cells.text("kuldo", 200),
        "addressee": cells.text("cimzett", 200, optional=direction != Direction.OUT),
        "subject": cells.text("targy", 300),
        "received_on": cells.day("erkezett"),
        "registered_on": cells.day("iktatva"),
        "registered_by": cells.text("iktatta", 120),
        "signed_by": cells.text("kiadmanyozta", 120, optional=True),
        "dispatched_on": cells.day("expedialva", optional=True),
        "note": cells.text("megjegyzes", 2000, optional=True),
    }
    if None not in (values["received_on"], values["registered_on"]) and values["registered_on"] < values["received_on"]:
        cells.fault("iktatva", "az érkezésnél nem korábbi nap")
    if parts := _parse_number(cells, "iktatoszam", with_sub=True):
        number, _, sub = parts[0].rpartition("-")
        values |= {"number": parts[0], "case": number, "sub": int(sub)}
    return values


def apply(files: Mapping[str, Rows]) -> None:
    """Write everything, after a check without faults; registers of past years are closed.

    Numbering continues after the largest main number of this year's register and each case's largest sub-number.
    """
    report, today = Report(), timezone.localdate()
    registers: dict[tuple[str, int], Register] = {}
    cases: dict[str, Case] = {}
    with transaction.atomic():
        for cells, values in read(files, CASES, partial(_case, _items()), report):
            key = values.pop("prefix"), values.pop("year")
            register = registers.setdefault(key, Register(prefix=key[0], year=key[1]))
            register.last_main = max(register.last_main, values["main"])
            item, day = values["item"], values["archived_on"]
            cases[cells.raw("foszam")] = Case(register=register, keep_until=handling.retention_end(item, day), **values)
        documents = [values for _, values in read(files, DOCUMENTS, _document, report)]
        for values in documents:
            case = cases[values["case"]]
            case.last_sub = max(case.last_sub, values["sub"])
        Register.objects.bulk_create(registers.values())
        Case.objects.bulk_create(cases.values(), batch_size=BATCH)
        Document.objects.bulk_create((_imported_document(cases[v.pop("case")], v) for v in documents), batch_size=BATCH)
        past_registers = Register.objects.filter(pk__in=[r.pk for r in registers.values()], year__lt=today.year)
        past_registers.update(closed_at=timezone.now(), closed_by=CLERK)


def _imported_document(case: Case, values: dict[str, Any]) -> Document:
    """A document registered at noon of its day: the earlier system's hour is not imported."""
    at = timezone.make_aware(dt.datetime.combine(values.pop("registered_on"), dt.time(12)))
    document = Document(case=case, registered_at=at, **values)
    document.search_text = document.words()
    return document
