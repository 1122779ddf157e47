"""What an estate is worth: sums by kind, debts, and the net value, in whole forints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from systems.hagyatek.models import Asset, Debt, Heir


@dataclass(frozen=True)
class Totals:
    """`kinds`: label and forints of each kind of asset present; `unknown`: how many entries have no amount yet."""

    kinds: list[tuple[str, int]]
    assets: int
    debts: int
    unknown: int

    @property
    def net(self) -> int:
        """Assets minus debts; may be negative."""
        return self.assets - self.debts


def compute(assets: Iterable[Asset], debts: Iterable[Debt]) -> Totals:
    assets, debts = list(assets), list(debts)
    kinds = []
    for kind, label in Asset.Kind.choices:
        if items := [asset for asset in assets if asset.kind == kind]:
            kinds.append((label, sum(asset.value or 0 for asset in items)))
    return Totals(
        kinds,
        sum(amount for _, amount in kinds),
        sum(debt.amount or 0 for debt in debts),
        sum(asset.value is None for asset in assets) + sum(debt.amount is None for debt in debts),
    )


def shares(heirs: Iterable[Heir]) -> Fraction:
    """The sum of the heirs' shares, without legacies and compulsory shares."""
    inherit = (Heir.Basis.LAWFUL, Heir.Basis.WILL)
    return sum(
        (Fraction(h.share_part, h.share_whole) for h in heirs if h.basis in inherit and h.share_part), Fraction(0)
    )
