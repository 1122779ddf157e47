"""A plan of changes that tells the truth before it is carried out: each step has its subject, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One change: the thing, what it is now, what it will be (one line each, no secret in them).

    `apply`: how; None where the plan carries out all its steps at once, or whoever planned it does.
    """

    subject: str
    before: str
    after: str
    apply: Callable[[], object] | None = field(default=None, kw_only=True, repr=False, compare=False)


@dataclass
class Plan:
    """Steps in the order in which they are carried out; empty when everything is right already.

    `at_once`: carries out all of them in one go, where that is how it is done.
    """

    steps: list[Step] = field(default_factory=list)
    at_once: Callable[[], object] | None = None

    def add(self, subject: str, before: object, after: object, apply: Callable[[], object] | None = None) -> None:
        self.steps.append(Step(subject, str(before), str(after), apply=apply))

    def __iadd__(self, other: Iterable[Step] | Plan) -> Plan:
        """With the steps of another plan, or with steps, after its own."""
        self.steps += other.steps if isinstance(other, Plan) else other
        return self

    def carry_out(self) -> None:
        if self.at_once and self.steps:
            self.at_once()
        for step in self.steps:
            if step.apply:
                step.apply()

    @property
    def changed(self) -> bool:
        return bool(self.steps)

    @property
    def before(self) -> list[str]:
        return [f"{step.subject}: {step.before}" for step in self.steps]

    @property
    def after(self) -> list[str]:
        return [f"{step.subject}: {step.after}" for step in self.steps]

    @property
    def diff(self) -> dict[str, str]:
        """In the form that Ansible shows."""
        return {side: "".join(f"{line}\n" for line in getattr(self, side)) for side in ("before", "after")}

    @property
    def lines(self) -> list[str]:
        return [f"{step.subject}: {step.before} → {step.after}" for step in self.steps]
