"""Which check proves which SLA clause, as Markdown for the auditor's handbook: `python -m checks.clauses [--write]`.

The table is generated from the catalogue of checks and the SLA clauses, so that the handbook cannot promise what no
check proves. A unit test compares the file with what this module generates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from checks.catalogue import Catalogue, Check, load
from inventory import paths, register
from inventory.errors import Fault, RegisterError
from inventory.models import Clause

HANDBOOK = paths.ROOT / "docs" / "handbook" / "auditor.md"
BEGIN, END = "<!-- checks:begin -->", "<!-- checks:end -->"
ENVIRONMENT = "dev"  # clauses and checks are the same in every environment; only the register's rules need one
STANDING = {"assumed": "assumed", "contract": "binding"}


def markdown(catalogue: Catalogue, clauses: Iterable[Clause]) -> str:
    """Every clause with its value and standing, then the checks of each clause; ends with a line break."""
    clauses = list(clauses)
    proving = {clause.id: [check for check in catalogue if check.clause == clause.id] for clause in clauses}
    columns = ["clause", "promise", "value", "standing", "source", "checks"]
    parts = [_table(columns, map(_clause, clauses, proving.values()))]
    for clause in clauses:
        parts.append(f"### {clause.id}: {clause.title}")
        if checks := proving[clause.id]:
            columns = ["check", "promise", "decides", "valid for", "limit", "facts from", "runbook"]
            parts.append(_table(columns, map(_check, checks)))
        else:
            parts.append("No check proves this clause.")
    return "\n\n".join(parts) + "\n"


def replaced(text: str, table: str) -> str:
    """The handbook's text with the table between its markers; RegisterError when a marker is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        fault = Fault(HANDBOOK.name, "markers", None, f"wanted {BEGIN} and, after it, {END}", "Put both into the file")
        raise RegisterError([fault])
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def current() -> str:
    """The table of this release."""
    loaded = register.load(ENVIRONMENT)
    return markdown(load(loaded), loaded.sla.values())


def main(argv: list[str] | None = None, handbook: Path = HANDBOOK) -> int:
    """Print the table, or write it into the handbook. Exit code: 0, or 2 when the register or a file has faults."""
    parser = argparse.ArgumentParser(
        prog="python -m checks.clauses", description="Show which check proves which SLA clause, as Markdown."
    )
    parser.add_argument("--write", action="store_true", help="update the table in docs/handbook/auditor.md")
    options = parser.parse_args(argv)
    try:
        table = current()
        if not options.write:
            print(table, end="")
            return 0
        before = handbook.read_text(encoding="utf-8")
        after = replaced(before, table)
    except RegisterError as error:
        print(f"checks.clauses: {error}", file=sys.stderr)
        return 2
    if after != before:
        handbook.write_text(after, encoding="utf-8")
    print(f"{handbook}: {'updated' if after != before else 'unchanged'}")
    return 0


def _clause(clause: Clause, checks: list[Check]) -> list[str]:
    value = f"{clause.value:g} {clause.unit}" if clause.unit != "%" else f"{clause.value:g} %"
    return [clause.id, clause.title, value, STANDING[clause.status], clause.source, str(len(checks))]


def _check(check: Check) -> list[str]:
    return [
        f"`{check.id}`",
        check.title,
        "yes" if check.mandatory else "no",
        check.lifetime,
        f"`{check.threshold}`" if check.threshold else "",
        check.source,
        f"[{check.runbook.partition('#')[0]}](../runbooks/{check.runbook})",
    ]


def _table(columns: list[str], rows: Iterable[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
