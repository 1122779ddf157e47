"""The statistical office's list of settlements (1 January 2018, CC0): what is known of each KSH code."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from inventory import paths
from inventory.names import slugify

LIST = paths.REGISTER / "data" / "helysegnevtar-2018.csv"
OWN_OFFICE, SEATS, MEMBERS = "1", ("2", "4"), ("5", "6")


class Settlement(BaseModel):
    """One row of the list; `office_kind` as published (data/README.md says what the codes mean)."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    name: str
    ksh: str
    status: str
    county: str
    district: str
    office_kind: str
    office_seat: str
    population: int

    @property
    def slug(self) -> str:
        return slugify(self.name)

    @property
    def is_capital(self) -> bool:
        """The capital is no tenant of the ASP; its districts are."""
        return self.status == "főváros"


@cache
def settlements(path: Path = LIST) -> dict[str, Settlement]:
    """Settlements by KSH code."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {row["ksh"]: Settlement.model_validate(row) for row in rows}


@cache
def by_name() -> dict[str, Settlement]:
    """Settlements by name; names are unique in the list."""
    return {settlement.name: settlement for settlement in settlements().values()}


def county_name(text: str) -> str:
    """A county as the list of 2018 names it: `Zala vármegye` and `Zala megye` → `Zala`, `Csongrád-Csanád` → `Csongrád`.

    Counties have been called vármegye since 2023, and Csongrád has been Csongrád-Csanád since 2020.
    """
    name = re.sub(r"\s+(vár)?megye$", "", text.strip(), flags=re.IGNORECASE)
    return {"Csongrád-Csanád": "Csongrád"}.get(name, name)
