"""The readiness report as data: the one truth behind page, JUnit and terminal. Its JSON form is in schema.json.

Times are ISO 8601 with zone; texts for readers are Hungarian.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Literal

from checks.verdicts import Verdict

SCHEMA = 2  # counts up when a field changes its meaning or goes

Answer = Literal["yes", "no", "unknown", "unasked"]
Standing = Literal["assumed", "contract"]
Scope = Literal["whole", "partial"]
Source = Literal["live", "recording"]
Bound = Literal["at most", "at least"]


@dataclass(frozen=True)
class Contract:
    """The municipality's contract, as the register has it."""

    number: str | None
    status: str


@dataclass(frozen=True)
class Subject:
    """The municipality that the report is about."""

    ksh: str
    name: str
    county: str
    population: int
    size: str
    office: str
    phase: str
    host: str
    contract: Contract
    project: str | None


@dataclass(frozen=True)
class Amount:
    """A number with its unit, and as readers see it; no number where only words were measured."""

    shown: str
    value: float | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Clause:
    """An SLA clause with its source and whether a contract or a law says so."""

    id: str
    title: str
    amount: Amount
    status: Standing
    source: str


@dataclass(frozen=True)
class Threshold:
    """What a check's measured value was held against, and where it stands: `sla.…` or `register.…`."""

    reference: str
    bound: Bound
    amount: Amount


@dataclass(frozen=True)
class Evidence:
    """One value that the assertion read."""

    what: str
    value: str


@dataclass(frozen=True)
class Check:
    """One check on one subject: what was promised, measured and decided. `seconds`: of judging."""

    id: str
    title: str
    tier: str
    area: str
    subject: str
    mandatory: bool
    verdict: Verdict
    accepted: bool
    message: str
    waiver: str
    measured: Amount | None
    threshold: Threshold | None
    clause: Clause
    taken: str | None
    valid_until: str | None
    seconds: float
    source: str
    runbook: str
    evidence: list[Evidence]


@dataclass(frozen=True)
class Question:
    """One of the mayor's questions with its answer; `broken`: promises that do not hold."""

    text: str
    answer: Answer
    asked: int
    held: int
    broken: list[str]
    assumed: bool


@dataclass(frozen=True)
class Area:
    """Verdicts of one area of one tier."""

    tier: str
    area: str
    counts: dict[Verdict, int]


@dataclass(frozen=True)
class Affected:
    """A check that a cause broke."""

    id: str
    title: str
    mandatory: bool
    runbook: str


@dataclass(frozen=True)
class Cause:
    """One thing to be dealt with, and the checks that it breaks."""

    verdict: Verdict
    subject: str
    message: str
    waiver: str
    checks: list[Affected]


@dataclass(frozen=True)
class Report:
    """One run for one municipality.

    `suite`: the release that judged, `probed_by` the one that asked the hosts; `as_of`: the moment that lifetimes and
    waivers were held against; `recording`: SHA-256 of probes.json; `blocking`: mandatory checks that do not hold.
    """

    schema: int
    suite: str
    probed_by: str
    environment: str
    municipality: Subject
    scope: Scope
    source: Source
    taken: str
    as_of: str
    valid_until: str | None
    seconds: float
    recording: str
    ready: bool
    blocking: list[str]
    counts: dict[Verdict, int]
    questions: list[Question]
    areas: list[Area]
    todo: list[Cause]
    clauses: list[Clause]
    checks: list[Check]

    @property
    def partial(self) -> bool:
        """Whether only some checks ran, so that nothing is said about readiness."""
        return self.scope == "partial"

    @property
    def judged(self) -> list[Check]:
        """Checks that decide: the mandatory ones, in a partial run all."""
        return [check for check in self.checks if self.partial or check.mandatory]

    def text(self) -> str:
        """The report as JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1) + "\n"
