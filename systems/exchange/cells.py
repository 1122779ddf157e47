"""One row of imported data, read cell by cell: values to write, faults for the report.

A system's `importing.py` reads each row with one function that uses these, once to check and once to write. Amounts are
whole forints, days ISO, shares `1/2`; reports say in Hungarian what a cell should hold.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils import timezone

from systems.core.money import LARGEST
from systems.exchange.importing import Report, Rows
from systems.shared import identifiers

YES_NO = {"igen": True, "nem": False}


class Cells:
    """The cells of one row; `number` as a spreadsheet shows it. A faulty one is None and adds to the report."""

    def __init__(self, report: Report, file: str, number: int, row: Mapping[str, str]):
        self._report, self._file, self._number, self._row = report, file, number, row
        self.sound = True  # until the first fault

    def raw(self, column: str) -> str:
        return self._row[column].strip()

    def fault(self, column: str, expected: str) -> None:
        self.sound = False
        self._report.fault(self._file, self._number, column, self._row[column], expected)

    def text(self, column: str, longest: int, optional: bool = False) -> str | None:
        value = self.raw(column)
        if not (0 if optional else 1) <= len(value) <= longest:
            self.fault(column, f"legfeljebb {longest} betű{'' if optional else ', nem üres'}")
            return None
        return value

    def integer(self, column: str, least: int = 0, most: int = LARGEST, optional: bool = False) -> int | None:
        """A whole number without sign or spaces."""
        value = self.raw(column)
        if optional and not value:
            return None
        if not re.fullmatch(r"[0-9]{1,16}", value, re.ASCII) or not least <= int(value) <= most:
            self.fault(column, f"egész szám {least} és {most} között")
            return None
        return int(value)

    def day(self, column: str, optional: bool = False, future: bool = False) -> dt.date | None:
        value = self.raw(column)
        if optional and not value:
            return None
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or (not future and day > timezone.localdate()):
            self.fault(column, f"{'' if future else 'mai vagy korábbi '}nap, például 2026-01-01")
            return None
        return day

    def one_of(self, column: str, values: Mapping[str, Any]) -> Any:
        """The value that the word in the cell stands for."""
        if self.raw(column) not in values:
            self.fault(column, f"ezek egyike: {'; '.join(values)}")
            return None
        return values[self.raw(column)]

    def empty(self, column: str) -> None:
        """Require a cell to be empty, because of the rest of its row."""
        if self.raw(column):
            self.fault(column, "üres")

    def identifier(self, column: str, optional: bool = False) -> str | None:
        """Tax number or tax identification sign in its common form; empty when it is optional and missing."""
        value = self.raw(column)
        if optional and not value:
            return ""
        try:
            return identifiers.identifier(value)
        except ValueError:
            self.fault(column, "helyes ellenőrző számú adószám vagy adóazonosító jel")
            return None

    def share(self, column: str, optional: bool = False) -> tuple[int, int] | None:
        """`1/2` as two numbers; at most one whole."""
        value = self.raw(column)
        if optional and not value:
            return None
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", value, re.ASCII)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            self.fault(column, "hányad, például 1/2")
            return None
        return int(match[1]), int(match[2])


def read(
    files: Mapping[str, Rows], name: str, reader: Callable[[Cells], dict[str, Any]], report: Report
) -> Iterator[tuple[Cells, dict[str, Any]]]:
    """Each row of a file as its cells and the values that `reader` makes of them; nothing for a missing file."""
    for number, row in enumerate(files.get(name, []), 2):
        cells = Cells(report, name, number, row)
        yield cells, reader(cells)
