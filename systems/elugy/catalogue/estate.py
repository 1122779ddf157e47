"""Statement about an estate (nyilatkozat hagyatéki leltárhoz) → `hagyatek`. One step for each heir."""

from __future__ import annotations

import datetime as dt

from systems.elugy.catalogue.common import APPLICANT
from systems.elugy.definition import Data, Definition, Fault, Field, Kind, Step, When

HEIRS = 6  # that the form has room for; more go into the remarks
RELATIONS = (
    ("spouse", "házastárs"),
    ("child", "gyermek"),
    ("grandchild", "unoka"),
    ("parent", "szülő"),
    ("sibling", "testvér"),
    ("other", "más"),
)
ASSETS = (
    ("real_estate", "ingatlan", "ingatlanok", "Helyrajzi szám, cím, tulajdoni hányad; soronként egy."),
    ("vehicles", "gépjármű", "gépjárművek", "Rendszám, gyártmány; soronként egy."),
    ("bank", "bankszámla vagy megtakarítás", "bankszámlák, megtakarítások", "Pénzintézet, számlaszám; soronként egy."),
    ("movables", "értékes ingóság", "ingóságok", "Soronként egy."),
    ("debts", "tartozás", "tartozások", "Kinek, mi alapján; soronként egy."),
)


def _dates(data: Data) -> list[Fault]:
    born, died = data.get("deceased_born"), data.get("deceased_died")
    if born and died and dt.date.fromisoformat(died) < dt.date.fromisoformat(born):
        return [("deceased_died", "A halál napja nem lehet korábbi a születés napjánál.")]
    return []


def _heir(n: int) -> Step:
    questions = [
        Field(f"heir_{n}_name", "név"),
        Field(f"heir_{n}_relation", "rokonsági kapcsolat", Kind.CHOICE, choices=RELATIONS),
        Field(f"heir_{n}_address", "lakcím"),
    ]
    if n < HEIRS:
        questions.append(Field(f"heir_{n}_more", "van még örökös", Kind.YES_NO))
    return Step(
        f"orokos-{n}", f"{n}. örökös", tuple(questions), when=When(f"heir_{n - 1}_more", (True,)) if n > 1 else None
    )


VERSIONS = [
    Definition(
        code="hagyatek",
        version=1,
        title="Nyilatkozat hagyatéki leltárhoz",
        summary="Az elhunyt, az örökösök és a hagyaték adatai a hagyatéki leltár felvételéhez.",
        law="2010. évi XXXVIII. törvény a hagyatéki eljárásról; 29/2010. (XII. 31.) KIM rendelet",
        target="hagyatek",
        steps=(
            APPLICANT,
            Step(
                "elhunyt",
                "Az elhunyt",
                (
                    Field("deceased_name", "az elhunyt neve"),
                    Field("deceased_birth_name", "születési neve"),
                    Field("deceased_born", "születésének napja", Kind.DAY, future=False),
                    Field("deceased_died", "halálának napja", Kind.DAY, future=False),
                    Field("deceased_address", "utolsó lakóhelye"),
                    Field("deceased_identifier", "adóazonosító jele", Kind.TAX_SIGN, required=False),
                    Field("applicant_relation", "az Ön kapcsolata az elhunythoz", Kind.CHOICE, choices=RELATIONS),
                ),
                check=_dates,
            ),
            *(_heir(n) for n in range(1, HEIRS + 1)),
            Step(
                "hagyatek",
                "Mi tartozik a hagyatékhoz",
                (
                    *(Field(f"has_{name}", f"van-e {label}", Kind.YES_NO) for name, label, _, _ in ASSETS),
                    Field("has_will", "tud-e végrendeletről", Kind.YES_NO),
                ),
            ),
            *(
                Step(
                    f"vagyon-{index}",
                    title[:1].upper() + title[1:],
                    (
                        Field(name, title, Kind.LONG, help=text, length=2000),
                        Field(f"{name}_value", "becsült érték összesen", Kind.MONEY, least=0, most=10**13),
                    ),
                    when=When(f"has_{name}", (True,)),
                )
                for index, (name, _, title, text) in enumerate(ASSETS, 1)
            ),
            Step(
                "nyilatkozat",
                "Megjegyzés és nyilatkozat",
                (
                    Field("remarks", "megjegyzés", Kind.LONG, required=False, length=2000),
                    Field("truth", "Az adatok legjobb tudomásom szerint a valóságnak megfelelnek.", Kind.STATEMENT),
                ),
            ),
        ),
    )
]
