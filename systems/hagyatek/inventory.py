"""The inventory as PDF, laid out like the decree's form (29/2010. (XII. 31.) KIM rendelet), and as XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from systems.core import facts
from systems.core.pdf import Pdf
from systems.hagyatek import totals
from systems.hagyatek.models import Asset, Estate, Heir, Notary

DECEASED = ("name", "birth_name", "mother_name", "birth_place", "born", "died", "death_place", "address")
DECEASED += ("identifier", "marital")
NAMESPACE = "urn:asp:hagyatek:leltar:1"


def deceased(estate: Estate) -> list[tuple[str, Any]]:
    """Labels and values of the deceased's data, in the form's order."""
    return [(_label(name), _value(estate, name)) for name in DECEASED]


def _label(name: str) -> str:
    label = Estate._meta.get_field(name).verbose_name
    return label[:1].upper() + label[1:]


def _value(estate: Estate, name: str) -> Any:
    return estate.get_marital_display() if name == "marital" else getattr(estate, name)


def share(part: int | None, whole: int | None) -> str:
    """`1/2`; empty when unknown."""
    return f"{part}/{whole}" if part else ""


def pdf(estate: Estate, notary: Notary | None = None) -> Pdf:
    """The inventory, addressed to a notary if given."""
    heirs, assets, debts = (list(rows.all()) for rows in (estate.heirs, estate.assets, estate.debts))
    paper = Pdf("Hagyatéki leltár", f"{facts.of_tenant().name} jegyzője · ügyszám: {estate.number}")
    if notary:
        paper.paragraph(f"Címzett: {notary.name} közjegyző, {notary.seat}, {notary.address}")
    paper.section("I. Az örökhagyó adatai").pairs(deceased(estate))
    paper.section("II. Az öröklésben érdekeltek")
    if heirs:
        head = ["Név, születés", "Lakcím", "Kapcsolat, jogcím", "Örökrész", "Képviselet"]
        paper.table(head, [_heir(heir) for heir in heirs], (4, 4, 3, 2, 3))
    else:
        paper.paragraph("Nincs ismert érdekelt.")
    paper.section("III. Végintézkedés")
    paper.paragraph(estate.will if estate.has_will else "Végintézkedésről nincs tudomás.")
    paper.section("IV. A hagyaték tárgyai")
    kinds = [(label, [asset for asset in assets if asset.kind == kind]) for kind, label in Asset.Kind.choices]
    for n, (label, items) in enumerate(((label, items) for label, items in kinds if items), 1):
        paper.section(f"IV/{n}. {label[:1].upper()}{label[1:]}").table(
            ["Megnevezés", "Hely, azonosító", "Hányad", "Érték (Ft)"], map(_asset, items), (6, 5, 2, 3)
        )
    if not assets:
        paper.paragraph("Hagyatéki vagyon nincs.")
    paper.section("V. Hagyatéki terhek")
    if debts:
        paper.table(["Jogosult", "Jogcím", "Összeg (Ft)"], [(d.creditor, d.basis, d.amount) for d in debts], (5, 5, 3))
    else:
        paper.paragraph("Teherről nincs tudomás.")
    total = totals.compute(assets, debts)
    paper.section("VI. Összesítés").pairs(
        [*((f"{label[:1].upper()}{label[1:]} (Ft)", amount) for label, amount in total.kinds)]
        + [
            ("Vagyon összesen (Ft)", total.assets),
            ("Terhek összesen (Ft)", total.debts),
            ("Tiszta érték (Ft)", total.net),
        ]
    )
    paper.section("VII. Nyilatkozó és megjegyzés").pairs(
        [("Nyilatkozó", estate.reporter), ("Kapcsolata", estate.get_reporter_relation_display())]
    )
    if estate.remarks:
        paper.paragraph(estate.remarks)
    return paper.pairs([("Kelt", "\n"), ("A leltárelőadó aláírása", "\n")])


def _heir(heir: Heir) -> tuple[Any, ...]:
    name = heir.name + (f"\nszül.: {heir.birth_name}" if heir.birth_name else "")
    name += f"\n{heir.born:%Y. %m. %d.}" if heir.born else ""
    care = [word for flag, word in ((heir.minor, "kiskorú"), (heir.ward, "gondnokolt")) if flag]
    care += [heir.representative] if heir.representative else []
    ties = f"{heir.get_relation_display()}\n{heir.get_basis_display()}"
    return name, heir.address, ties, share(heir.share_part, heir.share_whole), "\n".join(care)


def _asset(asset: Asset) -> tuple[Any, ...]:
    where = ", ".join(text for text in (asset.place, asset.reference) if text)
    return asset.description, where, share(asset.share_part, asset.share_whole), asset.value


def xml(estate: Estate) -> bytes:
    """The same for programs: amounts are whole forints, days ISO."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_tag("leltar"), {"ugyszam": estate.number, "onkormanyzat": facts.of_tenant().name})
    _element(root, "orokhagyo", {name: getattr(estate, name) for name in DECEASED})
    will = {"van": estate.has_will, "adatai": estate.will}
    _element(root, "vegintezkedes", will)
    for heir in estate.heirs.all():
        fields = ("name", "birth_name", "born", "address", "relation", "basis", "minor", "ward", "representative")
        _element(root, "erdekelt", {n: getattr(heir, n) for n in fields} | _share(heir))
    assets, debts = list(estate.assets.all()), list(estate.debts.all())
    for asset in assets:
        fields = ("kind", "description", "place", "reference", "value")
        _element(root, "vagyontargy", {n: getattr(asset, n) for n in fields} | _share(asset))
    for debt in debts:
        _element(root, "teher", {n: getattr(debt, n) for n in ("creditor", "basis", "amount")})
    total = totals.compute(assets, debts)
    _element(root, "osszesites", {"assets": total.assets, "debts": total.debts, "net": total.net})
    _element(root, "nyilatkozo", {"name": estate.reporter, "relation": estate.reporter_relation})
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _share(row: Heir | Asset) -> dict[str, str]:
    return {"share": f"{row.share_part}/{row.share_whole}"} if row.share_part else {}


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _element(root: ET.Element, name: str, values: dict[str, Any]) -> None:
    element = ET.SubElement(root, _tag(name))
    for key, value in values.items():
        if value in (None, ""):
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)  # days are ISO
        # XML cannot hold control characters, which copied text may contain.
        ET.SubElement(element, _tag(key)).text = "".join(c for c in text if c >= " " or c in "\n\t")
