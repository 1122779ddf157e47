"""Which fault comes when: every kind once in random order before any comes again, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """A fault and the second of the run at which it begins, or later when the one before is not over."""

    at: float
    fault: str


def plan(seed: int, seconds: float, pause: float, faults: Sequence[str]) -> list[Planned]:
    """The first fault after half a pause, then one a pause; none in the last half pause, so that each can end."""
    chance = random.Random(seed)
    planned: list[Planned] = []
    turn: list[str] = []
    at = pause / 2
    while at <= seconds - pause / 2:
        turn = turn or chance.sample(list(faults), len(faults))
        planned.append(Planned(at, turn.pop()))
        at += pause
    return planned
