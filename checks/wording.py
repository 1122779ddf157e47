"""Numbers and units as Hungarian readers write them."""

from __future__ import annotations

UNITS = {
    "seconds": "másodperc",
    "minutes": "perc",
    "hours": "óra",
    "days": "nap",
    "working days": "munkanap",
    "foreign reads": "idegen olvasás",
    "certificate": "tanúsítvány",
    "contract": "szerződés",
}


def hungarian_unit(unit: str) -> str:
    """An SLA unit as Hungarian readers write it; an unknown one stays as it is."""
    return UNITS.get(unit, unit)


def number(value: float) -> str:
    """1234.5 → `1 234,5`: one decimal at most, a comma, a space that does not break between thousands."""
    text = f"{round(value, 1) or 0:,.1f}".removesuffix(".0")
    return text.replace(",", "\u00a0").replace(".", ",")


def amount(value: float, unit: str = "") -> str:
    """A number with its unit."""
    return f"{number(value)} {hungarian_unit(unit)}".rstrip()
