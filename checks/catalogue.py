"""The catalogue of checks: typed, validated against the SLA clauses, the register and the runbooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from checks.wording import amount
from inventory import paths
from inventory.errors import Fault, RegisterError
from inventory.reader import FastLoader
from inventory.register import Register

CATALOGUE = paths.ROOT / "checks" / "catalogue.yaml"
RUNBOOKS = paths.ROOT / "docs" / "runbooks"
CheckId = Annotated[str, Field(pattern=r"^(centre|tenant|workstation)\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$")]
TIERS = ("centre", "tenant", "workstation")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Check(BaseModel):
    """One check. Its id never changes and is never used again for another promise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: CheckId
    title: str = Field(min_length=10, description="the promise, in Hungarian, as a mayor reads it")
    mandatory: bool
    tier: Literal["centre", "tenant", "workstation"]
    clause: str = Field(description="id of an SLA clause")
    threshold: str | None = Field(None, pattern=r"^(sla\.[a-z0-9-]+|register\.[a-z_]+(\.[a-z_]+)*)$")
    bound: Literal["at most", "at least"] = Field("at most", description="which side of the threshold is good")
    lifetime: str = Field(pattern=r"^[1-9]\d*[mhd]$", description="how long a result counts: 15m, 24h, 7d")
    source: str = Field(min_length=10, description="where the facts are read")
    runbook: str = Field(pattern=r"^[a-z-]+\.md#[a-z0-9-]+$")

    @field_validator("lifetime", mode="after")
    @classmethod
    def _at_most_a_month(cls, value: str) -> str:
        if _span(value) > timedelta(days=31):
            raise ValueError("wanted: at most 31d, older facts prove nothing")
        return value

    @model_validator(mode="after")
    def _tier_is_in_the_id(self) -> Check:
        if not self.id.startswith(f"{self.tier}."):
            raise ValueError(f"tier {self.tier!r} does not agree with id {self.id!r}")
        return self

    @property
    def area(self) -> str:
        """Second part of the id: what the check is about."""
        return self.id.split(".")[1]

    @property
    def span(self) -> timedelta:
        """How long a result counts."""
        return _span(self.lifetime)


@dataclass(frozen=True)
class Limit:
    """A threshold with its unit, as the register states it. `span` is its time, when it is one."""

    reference: str
    value: float
    unit: str

    @property
    def span(self) -> timedelta:
        if self.unit == "ms":
            return timedelta(milliseconds=self.value)
        return timedelta(**{self.unit: self.value})

    @property
    def text(self) -> str:
        return amount(self.value, self.unit)


class Catalogue:
    """All checks by id, in the order of the file, with their thresholds resolved against a register."""

    def __init__(self, checks: dict[str, Check], register: Register):
        self.checks = checks
        self._register = register

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks.values())

    def __len__(self) -> int:
        return len(self.checks)

    def __getitem__(self, check: str) -> Check:
        return self.checks[check]

    def limit(self, check: Check) -> Limit | None:
        """The check's threshold; None when its promise has no number."""
        return resolve(check.threshold, self._register) if check.threshold else None


def resolve(reference: str, register: Register) -> Limit:
    """A threshold by reference; LookupError when the register has no such number."""
    kind, _, name = reference.partition(".")
    if kind == "sla":
        if name not in register.sla:
            raise LookupError(f"no SLA clause {name!r}")
        clause = register.sla[name]
        return Limit(reference, clause.value, clause.unit)
    value: Any = register.environment
    for part in name.split("."):
        if part not in type(value).model_fields if isinstance(value, BaseModel) else True:
            raise LookupError(f"environment.yaml has no {name!r}")
        value = getattr(value, part)
    unit = name.rpartition("_")[2]
    if not isinstance(value, (int, float)) or unit not in ("seconds", "minutes", "hours", "days"):
        raise LookupError(f"{name!r} is not a number with its unit in its name")
    return Limit(reference, value, unit)


def load(register: Register, path: Path = CATALOGUE, runbooks: Path = RUNBOOKS) -> Catalogue:
    """Read and validate the catalogue; every fault found is in the RegisterError raised."""
    faults: list[Fault] = []
    name = path.name
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), FastLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegisterError(
            [Fault(name, "(file)", str(error), "cannot be read as YAML", "Correct the file")]
        ) from error
    if not isinstance(entries, list) or not entries:
        raise RegisterError([Fault(name, "(file)", entries, "wanted a list of checks", "Start entries with '- '")])
    checks: dict[str, Check] = {}
    for index, entry in enumerate(entries):
        try:
            check = Check.model_validate(entry)
        except ValidationError as error:
            label = entry.get("id", f"[{index}]") if isinstance(entry, dict) else f"[{index}]"
            faults += [
                Fault(
                    name,
                    ".".join([str(label), *(str(part) for part in item["loc"])]),
                    None if item["type"] == "missing" else item.get("input"),
                    item["msg"],
                    "See class Check in checks/catalogue.py",
                )
                for item in error.errors()
            ]
            continue
        if check.id in checks:
            faults.append(Fault(name, f"[{index}].id", check.id, "stands twice", "Give each promise an id of its own"))
        checks[check.id] = check
        faults += _references(name, check, register, runbooks)
    if faults:
        raise RegisterError(faults)
    return Catalogue(checks, register)


def _references(name: str, check: Check, register: Register, runbooks: Path) -> list[Fault]:
    faults = []
    if check.clause not in register.sla:
        clauses = ", ".join(sorted(register.sla))
        faults.append(Fault(name, f"{check.id}.clause", check.clause, "no such SLA clause", f"Known: {clauses}"))
    if check.threshold:
        try:
            resolve(check.threshold, register)
        except LookupError as error:
            remedy = "Refer to a clause of sla.yaml or a number of environment.yaml"
            faults.append(Fault(name, f"{check.id}.threshold", check.threshold, str(error.args[0]), remedy))
    file, _, anchor = check.runbook.partition("#")
    if anchor not in anchors(runbooks / file):
        remedy = f"Write the section into docs/runbooks/{file}"
        faults.append(Fault(name, f"{check.id}.runbook", check.runbook, "no such section", remedy))
    return faults


def anchors(path: Path) -> set[str]:
    """Anchors of a Markdown file's headings, as repository browsers make them; empty when there is no file."""
    if not path.is_file():
        return set()
    headings = re.findall(r"^#+\s+(.+?)\s*$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _span(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
