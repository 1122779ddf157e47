"""Verdicts, and how an assertion's end becomes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What a check came to. Only PASS and WAIVED let a tenant be ready."""

    PASS = "PASS"
    """The promise was seen to hold."""
    FAIL = "FAIL"
    """The promise was seen broken."""
    UNREACHABLE = "UNREACHABLE"
    """What had to be asked did not answer: nothing is known, so it is never PASS."""
    NO_DATA = "NO-DATA"
    """It answered, but the datum is missing or too old."""
    WAIVED = "WAIVED"
    """Seen broken, and accepted in writing until a date (waivers.yaml)."""


class Unreachable(Exception):
    """An assertion read a part of a probe that nobody answered; the message says who was asked and what was seen."""


class NoData(Exception):
    """An assertion read a datum that the probe has not got, or that is older than the check's lifetime."""


@dataclass(frozen=True)
class Reading:
    """One value that an assertion read from its probe: the evidence of its verdict."""

    datum: str
    value: str


@dataclass(frozen=True)
class Measured:
    """What a check measured, in words fit to stand beside its threshold; `value` in `unit` where it is a number."""

    text: str
    value: float | None = None
    unit: str | None = None


@dataclass
class Outcome:
    """One check on one subject (environment, tenant or workstation). Times are UTC; `seconds`: of judging it."""

    check: str
    subject: str
    verdict: Verdict
    message: str = ""
    evidence: list[Reading] = field(default_factory=list)
    taken: datetime | None = None
    waiver: str = ""
    measured: Measured | None = None
    seconds: float = 0

    @property
    def accepted(self) -> bool:
        """Whether it lets a tenant be ready."""
        return self.verdict in (Verdict.PASS, Verdict.WAIVED)

    @property
    def unknown(self) -> bool:
        """Whether nothing is known: neither kept nor broken."""
        return self.verdict in (Verdict.UNREACHABLE, Verdict.NO_DATA)


def judge(error: BaseException | None) -> tuple[Verdict, str]:
    """Verdict and message of an assertion that ended with `error` (None: it held).

    An error that is neither a broken promise nor a missing answer is a fault of the check itself. It is NO-DATA, for
    nothing is known, and its message names the error.
    """
    if error is None:
        return Verdict.PASS, ""
    # pytest's assertion rewriting appends its own lines to ours; only the first was written for readers.
    first = (str(error).splitlines() or [""])[0]
    if isinstance(error, AssertionError):
        return Verdict.FAIL, first
    if isinstance(error, Unreachable):
        return Verdict.UNREACHABLE, first
    if isinstance(error, NoData):
        return Verdict.NO_DATA, first
    return Verdict.NO_DATA, f"az ellenőrzés maga hibás ({type(error).__name__}: {first})"
