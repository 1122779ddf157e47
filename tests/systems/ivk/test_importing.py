"""Importing an earlier property register: a clean list is written whole, a faulty row is reported with its place."""

import pytest

from systems.ivk import importing, summaries
from systems.ivk.models import Parcel

FILE = "ingatlanok.csv"
ROW = {
    "helyrajzi_szam": "123/4/A/5",
    "fekves": "belterület",
    "cim": "Kossuth utca 1.",
    "hasznalat": "kivett lakás",
    "terulet": "60",
    "hanyad": "1/2",
    "brutto": "12000000",
    "ertekcsokkenes": "2000000",
    "forgalomkepesseg": "üzleti vagyon",
    "teher": "",
    "nap": "2020-01-01",
}
OTHER = ROW | {"helyrajzi_szam": "0123/4", "fekves": "külterület", "hasznalat": "szántó", "hanyad": "1/1"}


@pytest.fixture
def ivk(serve):
    with serve("ivk"):
        yield


def test_a_clean_list_is_written_once(ivk):
    files = {FILE: [ROW, OTHER]}
    report = importing.check(files)
    assert not report.faults, report.faults
    assert not Parcel.objects.exists(), "a check writes nothing"
    importing.apply(files)
    total = summaries.total(summaries.by_class(importing._day("2020-01-01")))
    assert report.totals == {
        "ingatlan": total.count,
        "terület": total.square_metres,
        "bruttó érték": total.gross,
        "értékcsökkenés": total.depreciation,
    }
    assert {fault.column for fault in importing.check(files).faults} == {"helyrajzi_szam"}


WRONG = [
    ("helyrajzi_szam", "123/"),
    ("helyrajzi_szam", "0123"),
    ("helyrajzi_szam", "0123/4"),
    ("fekves", "kül"),
    ("hasznalat", " "),
    ("terulet", "0"),
    ("terulet", "1,5"),
    ("hanyad", "3/2"),
    ("hanyad", "1/0"),
    ("brutto", "-1"),
    ("ertekcsokkenes", "12000001"),
    ("forgalomkepesseg", "más"),
    ("teher", "x" * 501),
    ("nap", "2999-01-01"),
]


@pytest.mark.parametrize(("column", "value"), WRONG)
def test_a_faulty_row_is_told_by_its_place(ivk, column, value):
    result = importing.check({FILE: [OTHER, ROW | {column: value}]}).faults
    assert (FILE, 3, column) in [(fault.file, fault.row, fault.column) for fault in result]


def test_a_lot_comes_once(ivk):
    (fault,) = importing.check({FILE: [ROW, ROW]}).faults
    assert (fault.row, fault.column) == (3, "helyrajzi_szam")
