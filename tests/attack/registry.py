"""The register of attacks: each is a test with an id, an area and the sentence that says what is tried.

How attacks are counted: one attack is one *way* of attacking. Many values of one way (thirteen systems' logins, fifteen
strings of SQL) are one attack, whether they are tries of one test or, to be seen apart, tests of their own (`alike`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

AREAS = (
    "edge",
    "availability",
    "certificates",
    "sign-in",
    "sessions",
    "rights",
    "uploads",
    "scripts",
    "chain",
    "database",
    "keycloak",
    "step-ca",
    "networks",
    "containers",
    "statistics",
)


@dataclass(frozen=True)
class Attack:
    """One way of attacking. `id`: never given to another; `short`: belongs to the selection of `make test`.

    `counts_as`: attacks that differ by a value only have the same one, and count as one attack.
    """

    id: str
    area: str
    text: str
    counts_as: str
    short: bool = False


class Untried(Exception):
    """The attack could not be carried out, so nothing is known: this is no attack that the walls held against."""


@dataclass
class Tries:
    """What one attack tried, with the evidence of each try that got through."""

    held: int = 0
    evidence: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.held + len(self.evidence)

    def holds(self, condition: object, evidence: object) -> None:
        """One try: the wall holds, or fell with this evidence."""
        if condition:
            self.held += 1
        else:
            self.evidence.append(str(evidence)[:600])

    def judge(self) -> None:
        """AssertionError when a wall fell, Untried when nothing was tried."""
        if self.evidence:
            raise AssertionError(f"fell, {len(self.evidence)} of {self.tried} tries: " + " | ".join(self.evidence[:4]))
        if not self.held:
            raise Untried("no try was made")


def control(condition: object, text: object) -> None:
    """The legitimate variant, which must work: against a service that is dead nothing can be proven."""
    if not condition:
        raise Untried(f"the legitimate variant does not work: {str(text)[:400]}")


def attack(
    number: str,
    area: str,
    text: str,
    ways: Mapping[str, Any] | None = None,
    short: bool = False,
    alike: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test of a function with the fixture `tries`.

    `ways`: name → what the function gets as `way`; each is an attack of its own with the id `<number>.<name>`.
    `alike`: they are values of one way (texts, systems) and count as one attack together.
    """
    if area not in AREAS:
        raise ValueError(f"attack {number}: area {area!r}, wanted one of {', '.join(AREAS)}")

    def mark(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapper(**arguments: Any) -> None:
            function(**arguments)
            arguments["tries"].judge()

        if ways is None:
            return _marks(wrapper, Attack(number, area, text, number, short))
        if not ways:
            raise ValueError(f"attack {number}: no ways")
        parameters = []
        for position, (name, way) in enumerate(ways.items()):
            item = Attack(
                f"{number}.{name}",
                area,
                f"{text}: {name}",
                number if alike else f"{number}.{name}",
                short and not position,
            )
            parameters.append(pytest.param(way, id=name, marks=_mark_list(item)))
        return pytest.mark.parametrize("way", parameters)(wrapper)

    return mark


def _mark_list(item: Attack) -> list[pytest.MarkDecorator]:
    return [pytest.mark.attack(item), *([] if item.short else [pytest.mark.long])]


def _marks(function: Callable[..., None], item: Attack) -> Callable[..., None]:
    for mark in _mark_list(item):
        function = mark(function)
    return function


def of_item(item: pytest.Item) -> Attack | None:
    """The attack that a collected test is."""
    mark = item.get_closest_marker("attack")
    return mark.args[0] if mark else None
