"""Open inventories of an earlier system are imported whole, or not at all."""

import pytest

from systems.hagyatek import importing, totals
from systems.hagyatek.importing import ASSETS, DEBTS, ESTATES, HEIRS, NOTARIES
from systems.hagyatek.models import Estate, Notary

FILES = {
    ESTATES: {
        **{
            "ugyszam": "R/2025/1",
            "nyilatkozo": "Próba Piroska",
            "tudomasszerzes": "2025-11-03",
            "nev": "Elhunyt Elemér",
        },
        **{"szuletesi_nev": "Elhunyt Elemér", "anyja_neve": "", "szuletesi_hely": "Miskolc", "szuletett": "1940-05-01"},
        **{"elhunyt": "2025-11-01", "halal_helye": "Miskolc", "lakohely": "Fő út 1.", "adoazonosito": "8345671233"},
    },
    HEIRS: {
        **{"ugyszam": "R/2025/1", "nev": "Kis Kata", "lakcim": "Fő út 1.", "kapcsolat": "gyermek"},
        **{
            "jogcim": "törvényes örökös",
            "orokresz": "1/2",
            "kiskoru": "igen",
            "gondnokolt": "nem",
            "kepviselo": "Kis Éva",
        },
    },
    ASSETS: {
        **{"ugyszam": "R/2025/1", "fajta": "ingatlan", "megnevezes": "ház", "hely": "Sajószentpéter"},
        **{"azonosito": "123/4", "hanyad": "1/2", "ertek": "12000000"},
    },
    DEBTS: {"ugyszam": "R/2025/1", "jogosult": "Minta Bank", "jogcim": "hitel", "osszeg": "200000"},
    NOTARIES: {"nev": "dr. Minta Mária", "szekhely": "Miskolc", "cim": "Fő út 2.", "telepules": "Sajószentpéter"},
}


@pytest.fixture
def hagyatek(serve):
    with serve("hagyatek"):
        yield


def files(changed=None, **cells):
    return {name: [row | cells if name == changed else row] for name, row in FILES.items()}


def test_clean_inventories_are_written_once(hagyatek):
    package = files()
    package[NOTARIES].append(FILES[NOTARIES] | {"telepules": "Kazincbarcika"})
    package[ASSETS].append(FILES[ASSETS] | {"fajta": "ingóság", "ertek": ""})
    report = importing.check(package)
    assert not report.faults, report.faults
    assert report.totals == {"hagyatéki leltár": 1, "vagyon értéke": 12_000_000, "terhek összege": 200_000}
    assert not Estate.objects.exists(), "a check writes nothing"
    importing.apply(package)
    estate = Estate.objects.get()
    total = totals.compute(estate.assets.all(), estate.debts.all())
    assert (total.assets, total.debts, total.unknown) == (12_000_000, 200_000, 1)
    heir = estate.heirs.get()
    assert (heir.minor, heir.ward, heir.representative) == (True, False, "Kis Éva")
    assert str(estate.due) == "2025-12-03"
    assert Notary.objects.get().areas.count() == 2
    assert {fault.column for fault in importing.check(package).faults} == {"ugyszam"}


WRONG = [
    (ESTATES, "nev", ""),
    (ESTATES, "tudomasszerzes", "2025-10-31"),
    (ESTATES, "elhunyt", "2999-01-01"),
    (ESTATES, "szuletett", "1940-13-01"),
    (ESTATES, "adoazonosito", "12345676-1-05"),
    (ESTATES, "adoazonosito", "8345671234"),
    (HEIRS, "ugyszam", "R/2025/2"),
    (HEIRS, "kapcsolat", "rokon"),
    (HEIRS, "orokresz", "3/2"),
    (HEIRS, "kiskoru", "1"),
    (ASSETS, "fajta", "kincs"),
    (ASSETS, "hanyad", ""),
    (ASSETS, "ertek", "-1"),
    (DEBTS, "osszeg", "0"),
    (NOTARIES, "telepules", ""),
]


@pytest.mark.parametrize(("name", "column", "value"), WRONG)
def test_a_wrong_row_is_told(hagyatek, name, column, value):
    assert not importing.check(files()).faults
    faults = importing.check(files(name, **{column: value})).faults
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [(name, 2, column)], faults
