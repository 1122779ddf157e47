"""Lot numbers (helyrajzi szám): `123`, `123/4`, `123/4/A`, `123/4/A/5`; outside the town with a leading 0: `0123/4`."""

from __future__ import annotations

import re

SHAPE = re.compile(r"(0?)([1-9][0-9]{0,5})(?:/([1-9][0-9]{0,3}))?(?:/([A-Z]))?(?:/([1-9][0-9]{0,3}))?")


def parse(text: str) -> tuple[int, int, int, str, int]:
    """Outer (0 or 1), main, part, building and flat, as a key for sorting; ValueError in Hungarian."""
    match = SHAPE.fullmatch(text)
    if not match or (match[5] and not match[4]):
        raise ValueError(f"A(z) „{text}” nem helyrajzi szám. Így írja: 123, 123/4, 123/4/A/5 vagy külterületen 0123/4.")
    outer, main, part, building, flat = match.groups()
    return len(outer), int(main), int(part or 0), building or "", int(flat or 0)


def tidy(text: str) -> str:
    """A lot number in its common form: without spaces and abbreviation, in capitals."""
    return re.sub(r"\s|\.|hrsz", "", text, flags=re.IGNORECASE).upper()
