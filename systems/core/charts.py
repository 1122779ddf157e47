"""Bars for statistics, drawn as SVG by `core/bars.html`, which shows the numbers as a table too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One bar: `percent` of the longest one, 0–100."""

    label: str
    value: int
    percent: int


def bars(rows: Iterable[tuple[str, int]]) -> list[Bar]:
    """Bars for labelled numbers, in the given order; negative numbers have no length."""
    rows = list(rows)
    longest = max((value for _, value in rows), default=0)
    return [Bar(label, value, round(max(value, 0) * 100 / longest) if longest > 0 else 0) for label, value in rows]
