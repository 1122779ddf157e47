"""A plan of changes that tells the truth before it is carried out: each step has its before, after and deed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One change: the thing, what it is now, what it will be (one line each), and how."""

    thing: str
    before: str
    after: str
    do: Callable[[], None]


@dataclass
class Plan:
    """Steps in the order in which they must be done; empty when everything is as wanted."""

    steps: list[Step] = field(default_factory=list)

    def add(self, thing: str, before: object, after: object, do: Callable[[], None]) -> None:
        self.steps.append(Step(thing, str(before), str(after), do))

    def carry_out(self) -> None:
        for step in self.steps:
            step.do()

    @property
    def diff(self) -> dict[str, str]:
        """In the form that Ansible shows."""
        return {
            "before": "".join(f"{step.thing}: {step.before}\n" for step in self.steps),
            "after": "".join(f"{step.thing}: {step.after}\n" for step in self.steps),
        }

    @property
    def lines(self) -> list[str]:
        return [f"{step.thing}: {step.before} → {step.after}" for step in self.steps]
