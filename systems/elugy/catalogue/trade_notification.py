"""Notification of a trade (kereskedelmi tevékenység bejelentése) → `iparker`."""

from systems.elugy.catalogue.common import APPLICANT, TRUTH
from systems.elugy.definition import Definition, Field, Kind, Step, When

SHOP = "shop"
FORMS = (
    (SHOP, "üzletben"),
    ("mobile", "mozgóboltban"),
    ("market", "piacon vagy vásáron"),
    ("parcel", "csomagküldéssel"),
)

VERSIONS = [
    Definition(
        code="kereskedelem",
        version=1,
        title="Kereskedelmi tevékenység bejelentése",
        summary="Új kereskedelmi tevékenység bejelentése a jegyzőnek.",
        law="210/2009. (IX. 29.) Korm. rendelet a kereskedelmi tevékenységek végzésének feltételeiről",
        target="iparker",
        steps=(
            APPLICANT,
            Step(
                "kereskedo",
                "A kereskedő",
                (
                    Field("trader_name", "a kereskedő neve"),
                    Field("trader_identifier", "adószáma vagy adóazonosító jele", Kind.IDENTIFIER),
                    Field("trader_address", "székhelye"),
                ),
            ),
            Step(
                "tevekenyseg",
                "A tevékenység",
                (
                    Field("activity", "a tevékenység megnevezése", help="Például: élelmiszer-kiskereskedelem."),
                    Field("form", "a tevékenység módja", Kind.CHOICE, choices=FORMS),
                    Field("since", "a tevékenység kezdete", Kind.DAY),
                ),
            ),
            Step(
                "uzlet",
                "Az üzlet",
                (
                    Field("shop_name", "az üzlet elnevezése"),
                    Field("shop_address", "az üzlet címe"),
                    Field("floor_area", "alapterület (m²)", Kind.WHOLE, least=1, most=100_000),
                    Field("opening_hours", "nyitvatartás", Kind.LONG, length=500),
                    Field("alcohol", "árusít-e szeszes italt", Kind.YES_NO),
                ),
                when=When("form", (SHOP,)),
            ),
            Step(
                "hely",
                "A tevékenység helye",
                (Field("place", "hely vagy útvonal", Kind.LONG, length=500),),
                when=When("form", tuple(code for code, _ in FORMS if code != SHOP)),
            ),
            TRUTH,
        ),
    )
]
