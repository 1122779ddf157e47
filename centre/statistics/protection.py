"""What each municipality's figures are before anything is added up: rounded, always the same way (ADR 0040).

Every number that is published, and every decision to withhold one, follows from the rounded figures alone. So whatever
is subtracted from whatever, of any days, leaves at most one municipality's rounded figure, which stands for an interval
of two steps.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from centre.statistics.disclosure import Kind
from centre.statistics.figures import Delivered

BANDS = (1, 2, 5)  # a step is a tenth of where its band of sizes ends, and bands end at 1, 2 and 5 times a power of ten
WHOLE = 2**64  # a place within a step, as an integer: no rounding error decides between two steps


@dataclass(frozen=True)
class Rounding:
    """`key`: secret and permanent; another one would round the same figures a second time. Steps: the smallest ones."""

    key: bytes
    count_step: int
    forint_step: int

    def smallest(self, kind: Kind) -> int:
        return self.count_step if kind == "count" else self.forint_step


def protect(delivered: Mapping[str, Delivered], rounding: Rounding) -> dict[str, Delivered]:
    """Every figure of every municipality, rounded."""
    return {
        ksh: Delivered(
            delivery.systems,
            [
                (system, measure, dimension, kind, round_figure(value, place, rounding.smallest(kind)))
                for system, measure, dimension, kind, value in delivery.figures
                for place in [place_of(rounding.key, ksh, system, measure, dimension)]
            ],
        )
        for ksh, delivery in delivered.items()
    }


def place_of(key: bytes, *names: str) -> int:
    """Where within a step one municipality's figure begins to be rounded up: 0 to WHOLE - 1, the same on every day."""
    return int.from_bytes(hmac.digest(key, "\x1f".join(names).encode(), hashlib.sha256)[:8])


def step_of(size: int, smallest: int) -> int:
    """Width of the steps at a size: a tenth to a quarter of it, at least `smallest`."""
    power = smallest
    while True:
        for band in BANDS:
            if size < 10 * band * power:
                return band * power
        power *= 10


def round_figure(value: int, place: int, smallest: int) -> int:
    """The multiple of the step below or above. Zero and multiples stay; on average over all places nothing is added."""
    size = abs(value)
    step = step_of(size, smallest)
    rest = size % step
    up = rest * WHOLE + place * step >= step * WHOLE
    nearby = size - rest + step * up
    return nearby if value >= 0 else -nearby
