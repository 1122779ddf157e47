"""Entries of an earlier register are imported with their numbers, or not at all."""

import datetime as dt

import pytest
from django.utils import timezone

from systems.iparker import feed, importing, registering
from systems.iparker.models import Change, Entry
from tests.systems.iparker.test_trades import FIRM, new_entry

FILE = importing.FILE
ROW = {
    "szam": "B/2019/7",
    "kereskedo": "Régi Kft.",
    "adoszam": FIRM,
    "szekhely": "Miskolc",
    "tevekenyseg": "vegyeskereskedelem",
    "mod": "üzletben",
    "uzlet": "Régi bolt",
    "hely": "Fő út 9.",
    "alapterulet": "40",
    "nyitvatartas": "H–P 8–16",
    "szeszes_ital": "nem",
    "termekkorok": "1.7, 1.9",
    "kezdete": "2019-03-01",
    "nyilvantartasba_veve": "2019-02-20",
    "szunetel": "",
    "megszunt": "",
}
ENDED = ROW | {"szam": "E/2020/1", "termekkorok": "20", "megszunt": "2022-01-01"}


@pytest.fixture
def iparker(serve):
    with serve("iparker"):
        yield


def test_a_clean_register_is_written_once_and_its_numbers_go_on(iparker):
    year = new_entry(1).year
    this_year = ROW | {"szam": f"E/{year}/41", "termekkorok": "20", "hely": "x"}
    files = {FILE: [ROW, ENDED, this_year]}
    report = importing.check(files)
    assert not report.faults, report.faults
    assert report.totals == {"bejegyzés": 3, "élő bejegyzés": 2}
    assert Entry.objects.count() == 1, "a check writes nothing"
    importing.apply(files)
    entry = Entry.objects.get(number="B/2019/7")
    assert (entry.products, entry.floor_area, entry.state) == (["1.7", "1.9"], 40, "működik")
    assert Entry.objects.get(number="E/2020/1").state == "megszűnt"
    assert Change.objects.filter(reason=importing.REASON).count() == 3
    assert new_entry(2, products=["20"]).number == f"E/{year}/42", "after the largest that was taken over"
    assert new_entry(3).number == f"B/{year}/2"
    assert {fault.column for fault in importing.check(files).faults} == {"szam"}
    registering.end(entry.pk, entry.registered_on.replace(year=2026), "x", "k")
    assert feed.rows(entry.registered_on)


def test_a_year_in_which_numbers_were_given_here_is_refused(iparker):
    year = new_entry(1).year
    (fault,) = importing.check({FILE: [ROW | {"szam": f"B/{year}/9"}]}).faults
    assert "amelyben itt még nem adtak" in fault.wanted


def test_numbers_go_on_after_the_largest_whatever_the_order_of_rows(iparker):
    year = timezone.localdate().year
    rows = [ROW | {"szam": f"B/{year}/{serial}", "hely": f"Fő út {serial}."} for serial in (7, 41, 12)]
    assert not importing.check({FILE: rows}).faults
    importing.apply({FILE: rows})
    assert new_entry(99).number == f"B/{year}/42"


@pytest.mark.parametrize(("days", "accepted"), [(0, True), (1, False)])
def test_what_was_registered_today_is_taken_over(iparker, days, accepted):
    day = timezone.localdate() + dt.timedelta(days=days)
    assert (not importing.check({FILE: [ROW | {"nyilvantartasba_veve": day.isoformat()}]}).faults) is accepted


WRONG = [
    ("szam", "X/2019/7"),
    ("szam", "B/2999/7"),
    ("szam", "E/2019/7"),
    ("kereskedo", " "),
    ("adoszam", "12345678-1-05"),
    ("mod", "sehogy"),
    ("uzlet", ""),
    ("alapterulet", ""),
    ("alapterulet", "99999999999"),
    ("szeszes_ital", "talán"),
    ("termekkorok", ""),
    ("termekkorok", "1.7,99"),
    ("kezdete", "tegnap"),
    ("nyilvantartasba_veve", "2999-01-01"),
    ("megszunt", "2018-01-01"),
]


@pytest.mark.parametrize(("column", "value"), WRONG)
def test_a_wrong_row_is_told(iparker, column, value):
    assert not importing.check({FILE: [ROW]}).faults
    faults = importing.check({FILE: [ENDED, ROW | {column: value}]}).faults
    assert [(fault.row, fault.column) for fault in faults] == [(3, column)], faults
