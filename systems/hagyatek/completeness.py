"""What an inventory needs before it can be handed over, and what a clerk should check."""

from __future__ import annotations

from dataclasses import dataclass

from systems.core import money
from systems.hagyatek import totals
from systems.hagyatek.models import Asset, Estate

REQUIRED = ("birth_name", "mother_name", "birth_place", "born", "death_place", "marital")
# Kinds of assets that cannot be found without a reference, and the name of that reference.
REFERENCES = {
    Asset.Kind.REAL_ESTATE: "helyrajzi szám",
    Asset.Kind.VEHICLE: "rendszám",
    Asset.Kind.COMPANY: "cégjegyzékszám vagy azonosító",
}
PLACES = {Asset.Kind.REAL_ESTATE: "település", Asset.Kind.BANK: "pénzintézet", Asset.Kind.COMPANY: "cég neve"}


@dataclass(frozen=True)
class Finding:
    """One remark in Hungarian; a `blocking` one prevents the handover."""

    text: str
    blocking: bool = True


def findings(estate: Estate) -> list[Finding]:
    return [*_deceased(estate), *_heirs(estate), *_assets(estate), *_debts(estate), *_stated_totals(estate)]


def _deceased(estate: Estate) -> list[Finding]:
    missing = [Estate._meta.get_field(name).verbose_name for name in REQUIRED if not getattr(estate, name)]
    findings = [Finding(f"Az örökhagyó adataiból hiányzik: {', '.join(missing)}.")] if missing else []
    if estate.has_will and not estate.will:
        findings.append(Finding("Végrendeletről van tudomás, de nincs megadva, hol található."))
    if not estate.identifier:
        findings.append(Finding("Nincs megadva az örökhagyó adóazonosító jele.", blocking=False))
    return findings


def _heirs(estate: Estate) -> list[Finding]:
    heirs = list(estate.heirs.all())
    if not heirs:
        return [Finding("Nincs felvéve örökös.")]
    findings = [
        Finding(f"{heir}: a kiskorú vagy gondnokság alatt álló örökösnek törvényes képviselője kell legyen.")
        for heir in heirs
        if (heir.minor or heir.ward) and not heir.representative
    ]
    total = totals.shares(heirs)
    if total > 1:
        findings.append(Finding(f"Az örökrészek összege több az egésznél ({total})."))
    elif total != 1:
        findings.append(Finding("Az örökrészek összege nem egy egész; a közjegyző állapítja meg.", blocking=False))
    return findings


def _assets(estate: Estate) -> list[Finding]:
    assets, findings = list(estate.assets.all()), []
    if not assets and not estate.no_assets:
        findings.append(Finding("Nincs felvéve vagyontárgy; ha nincs hagyatéki vagyon, azt az adatoknál jelölni kell."))
    if assets and estate.no_assets:
        findings.append(Finding("Az adatok szerint nincs hagyatéki vagyon, mégis van felvéve vagyontárgy."))
    for asset in assets:
        gaps = [names[asset.kind] for names, value in _requirements(asset) if asset.kind in names and not value]
        gaps += ["érték"] if asset.value is None else []
        if gaps:
            findings.append(Finding(f"{asset.get_kind_display().capitalize()} ({asset}): hiányzik: {', '.join(gaps)}."))
    return findings


def _requirements(asset: Asset):
    return (REFERENCES, asset.reference), (PLACES, asset.place)


def _debts(estate: Estate) -> list[Finding]:
    return [Finding(f"Teher ({debt}): hiányzik: összeg.") for debt in estate.debts.all() if debt.amount is None]


def _stated_totals(estate: Estate) -> list[Finding]:
    """The citizen's totals compared with the inventory; a difference does not block, the clerk may know better."""
    findings, labels = [], dict(Asset.Kind.choices) | {"debts": "teher"}
    for kind, from_citizen in estate.declared.items():
        if kind == "debts":
            from_clerk = sum(debt.amount or 0 for debt in estate.debts.all())
        else:
            from_clerk = sum(asset.value or 0 for asset in estate.assets.all() if asset.kind == kind)
        if from_clerk != from_citizen:
            amounts = f"összesen {money.to_text(from_citizen)} Ft, felvéve {money.to_text(from_clerk)} Ft"
            text = f"{labels[kind].capitalize()}: a nyilatkozat szerint {amounts}."
            findings.append(Finding(text, blocking=False))
    return findings
