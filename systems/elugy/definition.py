"""What an electronic form is: steps of fields, as data. A definition never changes; a changed form is a new version.

Definitions are checked when they are made, and read by pages, validation and documents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from systems.core import money

Data = Mapping[str, Any]  # answers by field name, as JSON keeps them: text, int, bool; days in ISO form
Fault = tuple[str, str]  # name of a field, what is wrong with it in Hungarian


class Kind(StrEnum):
    """What a field takes, and as what JSON keeps it."""

    TEXT = "text"
    """One line of text."""
    LONG = "long"
    """Several lines of text."""
    WHOLE = "whole"
    """A whole number."""
    MONEY = "money"
    """Whole forints."""
    DAY = "day"
    """A day, as 2026-01-31."""
    YEAR = "year"
    """A calendar year, as a number."""
    CHOICE = "choice"
    """One of `choices`, by its code."""
    YES_NO = "yes_no"
    """True or false."""
    IDENTIFIER = "identifier"
    """A tax number or a tax identification sign, in its common form."""
    TAX_SIGN = "tax_sign"
    """A person's tax identification sign."""
    STATEMENT = "statement"
    """What the citizen declares; only true is taken."""


@dataclass(frozen=True)
class When:
    """A field or step applies only when an earlier step's field has one of these answers."""

    field: str
    values: tuple[Any, ...]

    def holds(self, data: Data) -> bool:
        return data.get(self.field) in self.values


@dataclass(frozen=True)
class Field:
    """One question. `least` and `most`: limits of a number; `length`: of a text, in characters."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    help: str = ""
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    when: When | None = None
    least: int | None = None
    most: int | None = None
    length: int = 200
    future: bool = True  # whether a day after today is taken

    def shown(self, value: Any) -> str:
        """An answer as people read it."""
        if value is None or value == "":
            return "–"
        match self.kind:
            case Kind.CHOICE:
                return dict(self.choices).get(value, str(value))
            case Kind.YES_NO:
                return "igen" if value else "nem"
            case Kind.STATEMENT:
                return "elfogadva" if value else "–"
            case Kind.MONEY:
                return f"{money.shown(value)}{money.SPACE}Ft"
            case Kind.DAY:
                return dt.date.fromisoformat(value).strftime("%Y. %m. %d.")
        return str(value)


@dataclass(frozen=True)
class Step:
    """One page of a form. `check` sees all answers so far, those of this step included."""

    slug: str
    title: str
    fields: tuple[Field, ...]
    lead: str = ""
    when: When | None = None
    check: Callable[[Data], list[Fault]] = field(default=lambda data: [], compare=False)

    def applicable(self, data: Data) -> list[Field]:
        """Fields that are asked, given earlier answers; none when the step is left out."""
        if self.when and not self.when.holds(data):
            return []
        return [asked for asked in self.fields if asked.when is None or asked.when.holds(data)]


@dataclass(frozen=True)
class Definition:
    """One version of a form. `target`: the system that deals with it, None when it stays in records."""

    code: str
    version: int
    title: str
    summary: str
    law: str
    target: str | None
    steps: tuple[Step, ...]

    def __post_init__(self):
        known: dict[str, Field] = {}
        for step in self.steps:
            for condition in (step.when, *(asked.when for asked in step.fields)):
                if condition and condition.field not in known:
                    raise ValueError(f"{self.code}/{step.slug}: {condition.field!r} is asked in no earlier step")
            for asked in step.fields:
                if asked.name in known:
                    raise ValueError(f"{self.code}: two fields are named {asked.name!r}")
                if (asked.kind is Kind.CHOICE) != bool(asked.choices):
                    raise ValueError(f"{self.code}/{asked.name}: choices belong to fields of kind choice")
            known |= {asked.name: asked for asked in step.fields}
        if len({step.slug for step in self.steps}) != len(self.steps):
            raise ValueError(f"{self.code}: two steps have the same slug")

    def path(self, data: Data) -> list[Step]:
        """The steps that apply, in order."""
        return [step for step in self.steps if step.applicable(data)]

    def step(self, slug: str, data: Data) -> Step | None:
        return next((step for step in self.path(data) if step.slug == slug), None)

    def answered(self, data: Data) -> Iterator[tuple[Step, list[tuple[Field, str]]]]:
        """Every applicable question with its answer as people read it, by step."""
        for step in self.path(data):
            yield step, [(asked, asked.shown(data.get(asked.name))) for asked in step.applicable(data)]

    def kept(self, data: Data) -> dict[str, Any]:
        """Answers to what applies; those that a later change of mind made void are left out."""
        kept: dict[str, Any] = {}
        for step in self.steps:
            kept |= {asked.name: data[asked.name] for asked in step.applicable(kept) if asked.name in data}
        return kept
