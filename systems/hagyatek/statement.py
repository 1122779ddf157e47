"""A citizen's statement, parsed line by line as far as possible; the description keeps the whole line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from systems.hagyatek.models import Asset

HEIRS = 6  # that the electronic form has room for
# Names of assets in the electronic form → the kind of asset here.
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
    """An heir as in the form."""

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
    """Fields of each asset. The form asks for the total of a kind: it is the value of an asset that is the only one."""
    assets = []
    for name, kind in ASSETS.items():
        if data.get(f"has_{name}"):
            entries = lines(data[name])
            value = data[f"{name}_value"] if len(entries) == 1 else None
            assets += [{"kind": kind, "value": value, **_parse(kind, line)} for line in entries]
    return assets


def debts(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields of each debt, in the same way."""
    if not data.get("has_debts"):
        return []
    entries = lines(data["debts"])
    amount = (data["debts_value"] or None) if len(entries) == 1 else None
    parts = [line.partition(",") for line in entries]
    return [{"creditor": to.strip(), "basis": basis.strip(), "amount": amount} for to, _, basis in parts]


def stated_totals(data: dict[str, Any]) -> dict[str, int]:
    """The totals that the citizen entered, by kind; `debts` for debts."""
    totals = {str(kind): data[f"{name}_value"] for name, kind in ASSETS.items() if data.get(f"has_{name}")}
    return totals | ({"debts": data["debts_value"]} if data.get("has_debts") else {})


def _parse(kind: str, line: str) -> dict[str, Any]:
    tokens, fields = [token.strip() for token in line.split(",")], {"description": line}
    if kind == Asset.Kind.REAL_ESTATE:
        if lot := _LOT.fullmatch(tokens[0]):
            fields |= {"reference": lot["lot"], "place": (lot["place"] or "").strip()[:200]}
        share = _SHARE.fullmatch(tokens[-1]) if len(tokens) > 1 else None
        if share and 1 <= int(share[1]) <= int(share[2]):
            fields |= {"share_part": int(share[1]), "share_whole": int(share[2])}
    elif kind == Asset.Kind.VEHICLE and (plate := next((t for t in tokens if _PLATE.fullmatch(t)), None)):
        fields["reference"] = plate.upper()
    elif kind == Asset.Kind.BANK:
        account = next((t for t in tokens if _ACCOUNT.fullmatch(t)), None)
        fields |= {"reference": account or "", "place": tokens[0][:200] if tokens[0] != account else ""}
    return fields
