"""Importing earlier data: what a system's `importing.py` contains, and how the chain calls it.

`importing.py` has `FILES`, file name → column names; `check(files) -> Report`, which writes nothing; and
`apply(files)`, which writes everything. `files` is file name → rows, a row being column → text. System `migration`
requests a check first (`import-check`), another after the approval, and the writing (`import-apply`) only when
every system's report is then still clean.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection

from systems.chain import Message, Unacceptable, handles_everywhere, send
from systems.shared.parts import IMPORTING

Rows = Sequence[Mapping[str, str]]
MOST_FAULTS = 20_000  # that a report lists, some 4 MB of a message; it also gives their true number


@dataclass(frozen=True)
class Fault:
    """What is wrong in one row, in Hungarian; the first row after the head is 2, as a spreadsheet shows it."""

    file: str
    row: int
    column: str
    seen: str
    wanted: str


@dataclass
class Report:
    """The result of a check: rows by file, faults, and totals (forints, counts) that must equal the manifest's."""

    rows: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    def fault(self, file: str, row: int, column: str, seen: str, wanted: str) -> None:
        self.faults.append(Fault(file, row, column, seen, wanted))

    def as_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "faults": [asdict(fault) for fault in self.faults[:MOST_FAULTS]],
            "faults_count": len(self.faults),
            "totals": self.totals,
        }


@handles_everywhere("import-check", part=IMPORTING)
def check_message(message: Message) -> None:
    """Answer `import-check` with a report; nothing is written."""
    body = message.body
    report = _check(body["files"])
    _answer("import-report", body["package"], report.as_dict())


@handles_everywhere("import-apply", part=IMPORTING)
def apply_message(message: Message) -> None:
    """Answer `import-apply`: write everything, or report why not. It checks again first: time has passed.

    Unacceptable unless the database says that a second person approved the package: a message alone writes nothing.
    """
    body = message.body
    if not _approved(body["package"]):
        raise Unacceptable(f"package {body['package']}: not approved by a second person, or already written here")
    report = _check(body["files"])
    if not report.faults:
        _module().apply(body["files"])
    _answer("import-done", body["package"], report.as_dict())


def _approved(package: int) -> bool:
    """Whether this system may write a package now, by the view that `migration` shares."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM migration.import_approval WHERE package = %s)", [package])
        return cursor.fetchone()[0]


def _check(files: Mapping[str, Rows]) -> Report:
    module, report = _module(), Report()
    for name, rows in files.items():
        report.rows[name] = len(rows)
        columns = module.FILES.get(name)
        if columns is None:
            report.fault(name, 1, "", name, f"ezek egyike: {', '.join(module.FILES)}")
        elif rows and set(rows[0]) != set(columns):
            report.fault(name, 1, "", ", ".join(rows[0]), f"ezek az oszlopok: {', '.join(columns)}")
    if report.faults:
        return report
    details = module.check(files)
    details.rows = report.rows | details.rows
    return details


def _answer(topic: str, package: int, report: dict[str, Any]) -> None:
    system = settings.ASP.system
    send("migration", topic, {"package": package, "system": system, "report": report}, key=f"package/{package}")


def _module():
    return importlib.import_module(f"systems.{settings.ASP.system}.importing")
