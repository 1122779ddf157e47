"""A citizen's statement, line by line: what can be told from how people write it; the rest stays in the description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from systems.hagyatek.models import Asset

HEIRS = 6  # that the electronic form has room for
# Names in the electronic form of what there may be → the kind of asset here.
ASSETS = {
    "real_estate": Asset.Kind.REAL_ESTATE,
    "vehicles": Asset.Kind.VEHICLE,
    "bank": Asset.Kind.BANK,
    "movables": Asset.Kind.MOVABLES,
}
_LOT = re.compile(
    r"(?:(?P<place>[^\d]+?)\s+)?(?P<lot>0?\d{1,6}(?:/[0-9A-Z]{1,4}){0,4})(?:\.?\s*(?:hrsz|helyrajzi).*)?", re.I
)
_PLATE = re.compile(r"[A-Z]{2}[ -]?[A-Z]{2}[ -]?\d{3}|[A-Z]{3}[ -]?\d{3}", re.I)
_ACCOUNT = re.compile(r"\d{8}([ -]?\d{8}){1,2}")
_SHARE = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True)
class Heir:
    """As the form has it."""

    name: str
    relation: str
    address: str


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def heirs(data: dict[str, Any]) -> list[Heir]:
    return [
        Heir(data[f"heir_{n}_name"], data[f"heir_{n}_relation"], data[f"heir_{n}_address"])
        for n in range(1, HEIRS + 1)
        if data.get(f"heir_{n}_name")
    ]


def assets(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields of each asset. The form asks for a kind's total: it is an asset's value only when that is the only one."""
    found = []
    for name, kind in ASSETS.items():
        if data.get(f"has_{name}"):
            told = lines(data[name])
            value = data[f"{name}_value"] if len(told) == 1 else None
            found += [{"kind": kind, "value": value, **_parsed(kind, line)} for line in told]
    return found


def debts(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields of each debt, likewise."""
    if not data.get("has_debts"):
        return []
    told = lines(data["debts"])
    amount = (data["debts_value"] or None) if len(told) == 1 else None
    parts = [line.partition(",") for line in told]
    return [{"creditor": to.strip(), "basis": why.strip(), "amount": amount} for to, _, why in parts]


def declared(data: dict[str, Any]) -> dict[str, int]:
    """The totals that the citizen wrote, by kind; `debts` for what is owed."""
    found = {str(kind): data[f"{name}_value"] for name, kind in ASSETS.items() if data.get(f"has_{name}")}
    return found | ({"debts": data["debts_value"]} if data.get("has_debts") else {})


def _parsed(kind: str, line: str) -> dict[str, Any]:
    tokens, found = [token.strip() for token in line.split(",")], {"description": line}
    if kind == Asset.Kind.REAL_ESTATE:
        if lot := _LOT.fullmatch(tokens[0]):
            found |= {"reference": lot["lot"], "place": (lot["place"] or "").strip()[:200]}
        share = _SHARE.fullmatch(tokens[-1]) if len(tokens) > 1 else None
        if share and 1 <= int(share[1]) <= int(share[2]):
            found |= {"share_part": int(share[1]), "share_whole": int(share[2])}
    elif kind == Asset.Kind.VEHICLE and (plate := next((t for t in tokens if _PLATE.fullmatch(t)), None)):
        found["reference"] = plate.upper()
    elif kind == Asset.Kind.BANK:
        account = next((t for t in tokens if _ACCOUNT.fullmatch(t)), None)
        found |= {"reference": account or "", "place": tokens[0][:200] if tokens[0] != account else ""}
    return found
