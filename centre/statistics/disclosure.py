"""Which totals may be published, so that what is hidden cannot be subtracted out of what is told.

Two rules make a cell sensitive (thresholds: `inventory/catalogue/statistics.yaml`):
a count above zero and below the smallest would be about few persons; and where what remains without the two largest
municipalities is a small part of the largest, the second could work out the first's own figure (the p % rule of
official statistics).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "forint"]
Cell = Mapping[str, int]  # municipality → what it adds

FEWEST = 3  # municipalities: of two, each would read the other's figure


@dataclass(frozen=True)
class Rule:
    """`smallest`: the least count above zero that may be told; `remainder`: percent, above 0, of the largest."""

    smallest: int
    remainder: float


def total(cell: Cell) -> int:
    return sum(cell.values())


def merged(cells: Collection[Cell]) -> dict[str, int]:
    """One cell of several."""
    sums: dict[str, int] = {}
    for cell in cells:
        for municipality, value in cell.items():
            sums[municipality] = sums.get(municipality, 0) + value
    return sums


def tellable(cell: Cell, kind: Kind, rule: Rule) -> bool:
    """Whether a cell's total may be published by itself. Zero may, of enough municipalities: nobody is in it."""
    if len(cell) < FEWEST:
        return False
    sizes = sorted((abs(value) for value in cell.values()), reverse=True)
    if not sizes[0]:
        return True
    if kind == "count" and total(cell) < rule.smallest:
        return False
    return sum(sizes[2:]) * 100 >= rule.remainder * sizes[0]


def hidden(cells: Mapping[str, Cell], kind: Kind, rule: Rule) -> set[str]:
    """Names of the cells that must not be told beside their sum.

    Sensitive ones, and as many of the smallest others as it takes until what the hidden ones have together, which
    anybody can subtract, may itself be told. The sum is for the caller to judge: it is a cell as well.
    """
    kept_back = {name for name, cell in cells.items() if not tellable(cell, kind, rule)}
    if not kept_back:
        return set()
    others = [name for name, cell in cells.items() if name not in kept_back and any(cell.values())]
    others.sort(key=lambda name: abs(total(cells[name])))
    while not tellable(merged([cells[name] for name in kept_back]), kind, rule):
        if not others:
            return set(cells)
        kept_back.add(others.pop(0))
    return kept_back
