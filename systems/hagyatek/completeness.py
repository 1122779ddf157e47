"""What an inventory lacks before it can be handed over, and what a clerk should look at."""

from __future__ import annotations

from dataclasses import dataclass

from systems.core import money
from systems.hagyatek import totals
from systems.hagyatek.models import Asset, Estate

NEEDED = ("birth_name", "mother_name", "birth_place", "born", "death_place", "marital")
# Kinds of assets that nobody finds without these: what is missing, as it is said.
REFERENCES = {
    Asset.Kind.REAL_ESTATE: "helyrajzi szám",
    Asset.Kind.VEHICLE: "rendszám",
    Asset.Kind.COMPANY: "cégjegyzékszám vagy azonosító",
}
PLACES = {Asset.Kind.REAL_ESTATE: "település", Asset.Kind.BANK: "pénzintézet", Asset.Kind.COMPANY: "cég neve"}


@dataclass(frozen=True)
class Finding:
    """One remark in Hungarian; with a `blocking` one nothing is handed over."""

    text: str
    blocking: bool = True


def findings(estate: Estate) -> list[Finding]:
    return [*_deceased(estate), *_heirs(estate), *_assets(estate), *_debts(estate), *_declared(estate)]


def _deceased(estate: Estate) -> list[Finding]:
    missing = [Estate._meta.get_field(name).verbose_name for name in NEEDED if not getattr(estate, name)]
    found = [Finding(f"Az örökhagyó adataiból hiányzik: {', '.join(missing)}.")] if missing else []
    if estate.has_will and not estate.will:
        found.append(Finding("Végrendeletről van tudomás, de nincs megadva, hol található."))
    if not estate.identifier:
        found.append(Finding("Nincs megadva az örökhagyó adóazonosító jele.", blocking=False))
    return found


def _heirs(estate: Estate) -> list[Finding]:
    heirs = list(estate.heirs.all())
    if not heirs:
        return [Finding("Nincs felvéve örökös.")]
    found = [
        Finding(f"{heir}: a kiskorú vagy gondnokság alatt álló örökösnek törvényes képviselője kell legyen.")
        for heir in heirs
        if (heir.minor or heir.ward) and not heir.representative
    ]
    together = totals.shares(heirs)
    if together > 1:
        found.append(Finding(f"Az örökrészek összege több az egésznél ({together})."))
    elif together != 1:
        found.append(Finding("Az örökrészek összege nem egy egész; a közjegyző állapítja meg.", blocking=False))
    return found


def _assets(estate: Estate) -> list[Finding]:
    assets, found = list(estate.assets.all()), []
    if not assets and not estate.no_assets:
        found.append(Finding("Nincs felvéve vagyontárgy; ha nincs hagyatéki vagyon, azt az adatoknál jelölni kell."))
    if assets and estate.no_assets:
        found.append(Finding("Az adatok szerint nincs hagyatéki vagyon, mégis van felvéve vagyontárgy."))
    for asset in assets:
        lacks = [names[asset.kind] for names, value in _wanted(asset) if asset.kind in names and not value]
        lacks += ["érték"] if asset.value is None else []
        if lacks:
            found.append(Finding(f"{asset.get_kind_display().capitalize()} ({asset}): hiányzik: {', '.join(lacks)}."))
    return found


def _wanted(asset: Asset):
    return (REFERENCES, asset.reference), (PLACES, asset.place)


def _debts(estate: Estate) -> list[Finding]:
    return [Finding(f"Teher ({debt}): hiányzik: összeg.") for debt in estate.debts.all() if debt.amount is None]


def _declared(estate: Estate) -> list[Finding]:
    """The statement's totals against what was taken up; the clerk may well know better."""
    found, labels = [], dict(Asset.Kind.choices) | {"debts": "teher"}
    for kind, told in estate.declared.items():
        if kind == "debts":
            listed = sum(debt.amount or 0 for debt in estate.debts.all())
        else:
            listed = sum(asset.value or 0 for asset in estate.assets.all() if asset.kind == kind)
        if listed != told:
            text = f"a nyilatkozat szerint összesen {money.shown(told)} Ft, felvéve {money.shown(listed)} Ft"
            text = f"{labels[kind].capitalize()}: {text}."
            found.append(Finding(text, blocking=False))
    return found
