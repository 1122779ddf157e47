"""Steps that several forms share."""

from __future__ import annotations

from systems.elugy.definition import Field, Kind, Step

TRUTH = Step("nyilatkozat", "Nyilatkozat", (Field("truth", "Az adatok a valóságnak megfelelnek.", Kind.STATEMENT),))
APPLICANT = Step(
    "ugyfel",
    "Az ügyfél adatai",
    (
        Field("address", "lakcím", help="Irányítószám, település, utca, házszám."),
        Field("phone", "telefonszám", required=False, length=40, help="Ha telefonon is elérhető."),
    ),
    lead="Nevét, adóazonosító jelét és e-mail-címét a belépéséből vesszük át.",
)
