"""Local business tax return (helyi iparűzési adóbevallás) → `ado`, which calculates the tax itself."""

from __future__ import annotations

import datetime as dt

from systems.core import money
from systems.elugy.catalogue.common import APPLICANT, TRUTH
from systems.elugy.definition import Data, Definition, Fault, Field, Kind, Step, When

PERSON, FIRM = "person", "firm"
DEDUCTIONS = ("cost_of_goods", "material_cost", "subcontracting", "research_cost")
FORINTS = {"kind": Kind.MONEY, "least": 0, "most": 10**14}


def _period(data: Data) -> list[Fault]:
    since, until, year = (data.get(name) for name in ("period_from", "period_until", "year"))
    if not (since and until and year):
        return []
    first, last = dt.date.fromisoformat(since), dt.date.fromisoformat(until)
    if last < first:
        return [("period_until", "A bevallási időszak vége nem lehet korábbi a kezdeténél.")]
    if year not in (first.year, last.year):
        return [("year", "A bevallási időszaknak az adóévbe kell esnie.")]
    return []


def _base(data: Data) -> list[Fault]:
    if any(data.get(name) is None for name in ("net_revenue", "tax_base", *DEDUCTIONS)):
        return []
    deductions = sum(data[name] for name in DEDUCTIONS)
    if deductions > data["net_revenue"]:
        return [("net_revenue", "A levonások összege nem lehet több a nettó árbevételnél.")]
    if data["tax_base"] != data["net_revenue"] - deductions:
        base = money.to_text(data["net_revenue"] - deductions)
        return [("tax_base", f"Az adóalap az árbevétel és a levonások különbsége: {base}{money.SPACE}Ft.")]
    return []


VERSIONS = [
    Definition(
        code="hipa",
        version=1,
        title="Helyi iparűzési adóbevallás",
        summary="Éves bevallás a településen végzett vállalkozási tevékenységről.",
        law="1990. évi C. törvény a helyi adókról",
        target="ado",
        steps=(
            APPLICANT,
            Step(
                "adozo",
                "Az adózó",
                (
                    Field(
                        "taxpayer_kind",
                        "az adózó",
                        Kind.CHOICE,
                        choices=((PERSON, "magánszemély vállalkozó"), (FIRM, "gazdasági társaság vagy más szervezet")),
                    ),
                    Field("taxpayer_name", "az adózó neve", help="Egyéni vállalkozónál a vállalkozó neve."),
                    Field(
                        "taxpayer_identifier",
                        "az adózó adószáma vagy adóazonosító jele",
                        Kind.IDENTIFIER,
                        help="Adószám: 11 számjegy; adóazonosító jel: 10 számjegy.",
                    ),
                    Field("taxpayer_address", "székhely vagy lakcím"),
                ),
            ),
            Step(
                "kepviselet",
                "Képviselet",
                (Field("represents_as", "milyen minőségben jár el", help="Például: ügyvezető, meghatalmazott."),),
                when=When("taxpayer_kind", (FIRM,)),
            ),
            Step(
                "idoszak",
                "Bevallási időszak",
                (
                    Field("year", "adóév", Kind.YEAR, least=2010),
                    Field("period_from", "az időszak kezdete", Kind.DAY),
                    Field("period_until", "az időszak vége", Kind.DAY),
                ),
                check=_period,
            ),
            Step(
                "adoalap",
                "Az adó alapja",
                (
                    Field("net_revenue", "nettó árbevétel", help="Egész forintban.", **FORINTS),
                    Field("cost_of_goods", "eladott áruk beszerzési értéke és közvetített szolgáltatások", **FORINTS),
                    Field("material_cost", "anyagköltség", **FORINTS),
                    Field("subcontracting", "alvállalkozói teljesítések értéke", **FORINTS),
                    Field("research_cost", "kutatás és kísérleti fejlesztés közvetlen költsége", **FORINTS),
                    Field("tax_base", "a településre jutó adóalap", help="Az árbevétel a levonások nélkül.", **FORINTS),
                ),
                lead="Ha egy sorban nincs összeg, írjon nullát.",
                check=_base,
            ),
            TRUTH,
        ),
    )
]
