"""Electronic forms as data: steps of fields. A definition never changes; a changed form is a new version.

Definitions are checked when they are created, and used by pages, validation and documents.
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
    """What a field accepts, and how JSON stores it."""

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
    """A declaration by the citizen; only true is accepted."""


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
    future: bool = True  # whether a day after today is accepted

    def to_text(self, value: Any) -> str:
        """An answer as people read it, in Hungarian."""
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
                return f"{money.to_text(value)}{money.SPACE}Ft"
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
        """Fields to ask for, given the earlier answers; none when the step is skipped."""
        if self.when and not self.when.holds(data):
            return []
        return [question for question in self.fields if question.when is None or question.when.holds(data)]


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
        earlier: dict[str, Field] = {}
        for step in self.steps:
            for condition in (step.when, *(question.when for question in step.fields)):
                if condition and condition.field not in earlier:
                    raise ValueError(f"{self.code}/{step.slug}: no earlier step asks for {condition.field!r}")
            for question in step.fields:
                if question.name in earlier:
                    raise ValueError(f"{self.code}: two fields are named {question.name!r}")
                if (question.kind is Kind.CHOICE) != bool(question.choices):
                    raise ValueError(f"{self.code}/{question.name}: choices belong to fields of kind choice")
            earlier |= {question.name: question for question in step.fields}
        if len({step.slug for step in self.steps}) != len(self.steps):
            raise ValueError(f"{self.code}: two steps have the same slug")

    def path(self, data: Data) -> list[Step]:
        """The steps that apply, in order."""
        return [step for step in self.steps if step.applicable(data)]

    def step(self, slug: str, data: Data) -> Step | None:
        return next((step for step in self.path(data) if step.slug == slug), None)

    def answers(self, data: Data) -> Iterator[tuple[Step, list[tuple[Field, str]]]]:
        """Every applicable question with its answer as people read it, by step."""
        for step in self.path(data):
            yield step, [(question, question.to_text(data.get(question.name))) for question in step.applicable(data)]

    def applicable_answers(self, data: Data) -> dict[str, Any]:
        """Answers to applicable questions, without those that a changed answer has made irrelevant."""
        answers: dict[str, Any] = {}
        for step in self.steps:
            answers |= {
                question.name: data[question.name] for question in step.applicable(answers) if question.name in data
            }
        return answers
