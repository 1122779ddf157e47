"""The register's exceptions: lists of faults, each naming file, field, value and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing wrong in the register or with a request: where it stands, what was seen, what to do."""

    file: Path | str
    field: str
    value: object
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field} = {self.value!r}: {self.problem}. {self.remedy}."


class RegisterError(Exception):
    """The register cannot be used; nothing was touched. `faults` holds every fault in it.

    `headline`: what a command prints above the faults.
    """

    headline: ClassVar[str] = "The register is not sound; nothing was touched."

    def __init__(self, faults: Sequence[Fault]):
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class UnknownName(RegisterError):
    """A request names what the register does not hold: an environment, a municipality, a cell, a workstation."""

    headline = "The request cannot be carried out; nothing was touched."

    def __init__(self, place: str, kind: str, name: str, names: Sequence[str], problem: str | None = None):
        listing = ", ".join(sorted(names)[:SHOWN]) or "none"
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        super().__init__([Fault(place, kind, name, problem or f"no such {kind} here", f"Known: {listing}{more}")])


SHOWN = 20  # known names that a message lists; the country has 3,200
