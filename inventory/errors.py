"""The register's one exception: a list of faults, each naming file, field, value and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One thing wrong in the register: where it stands, what was seen, what to do."""

    file: Path | str
    field: str
    value: object
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field} = {self.value!r}: {self.problem}. {self.remedy}."


class RegisterError(Exception):
    """The register cannot be used; nothing was touched. `faults` holds every fault that was found."""

    def __init__(self, faults: list[Fault]):
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))
