"""How many tenants one cell holds: derived from a measured curve and from what must stay bearable.

`cell_curve.yaml` holds both: points that `python -m tests.bench CELL` measured (source, date, machine), and limits with
their reasons. Between points a straight line is drawn; beyond the last one nothing is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import yaml

from inventory import paths

CURVE = paths.REGISTER / paths.CATALOGUE / "cell_curve.yaml"
DATABASES = "databases"


@dataclass(frozen=True)
class Size:
    """The most tenants of a cell, and the limit that says so."""

    tenants: int
    because: str


@cache
def largest(file: Path = CURVE) -> Size:
    """The largest cell within every limit. ValueError when a limit names nothing that was measured."""
    curve = yaml.safe_load(file.read_text(encoding="utf-8"))
    points: list[dict[str, float]] = sorted(curve["points"], key=lambda point: point[DATABASES])
    measured = int(points[-1][DATABASES])
    sizes = [Size(measured, f"nothing larger was measured ({curve['source']}, {curve['measured']})")]
    for name, limit in curve["limits"].items():
        if name != DATABASES and any(name not in point for point in points):
            raise ValueError(f"{file.name}: limit {name}: wanted in every point; seen in {points[0].keys()}")
        count = limit["most"] if name == DATABASES else _reached(points, name, limit["most"])
        sizes.append(Size(int(count), f"{name} at most {limit['most']}: {limit['why']}"))
    return min(sizes, key=lambda size: size.tenants)


def _reached(points: list[dict[str, float]], name: str, most: float) -> float:
    """The number of databases at which a measured value first passes `most`; the last point's when it never does."""
    first = points[0]
    if first[name] > most:
        return first[DATABASES] * most / first[name]
    for lower, upper in pairwise(points):
        if upper[name] > most:
            share = (most - lower[name]) / (upper[name] - lower[name])
            return lower[DATABASES] + share * (upper[DATABASES] - lower[DATABASES])
    return points[-1][DATABASES]
