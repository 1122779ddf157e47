"""Earlier registers are imported with their numbers, or not at all."""

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from systems.irat import feed, handling, importing
from systems.irat.models import ArchiveItem, Case, Document, Register, find

YEAR = timezone.localdate().year
CASE = dict.fromkeys(importing.FILES[importing.CASES], "") | {
    "foszam": "IKT/2019/12",
    "targy": "Fakivágás",
    "allapot": "irattárban",
    "ugyintezo": "Régi Réka",
    "elintezes_modja": "döntéssel",
    "elintezve": "2019-05-02",
    "tetelszam": "F601",
    "irattarba": "2019-12-20",
}
OPEN = CASE | {"foszam": f"IKT/{YEAR}/3", "allapot": "ügyintézés alatt", "hatarido": "2019-07-01"}
OPEN |= dict.fromkeys(["elintezes_modja", "elintezve", "tetelszam", "irattarba"], "")
DOCUMENT = dict.fromkeys(importing.FILES[importing.DOCUMENTS], "") | {
    "iktatoszam": "IKT/2019/12-1",
    "irany": "bejövő",
    "kuldo": "Minta Kft.",
    "targy": "Fakivágási kérelem",
    "erkezett": "2019-04-01",
    "iktatva": "2019-04-02",
    "iktatta": "Régi Réka",
}
ANSWER = DOCUMENT | {"iktatoszam": "IKT/2019/12-4", "irany": "kimenő", "kuldo": "Hivatal", "cimzett": "Minta Kft."}
NEW = DOCUMENT | {"iktatoszam": f"IKT/{YEAR}/3-1", "targy": "Panasz"}


def files(*changes):
    """The three documents of two cases; `changes`: (file, row, column, text)."""
    tables = {
        importing.CASES: [dict(CASE), dict(OPEN)],
        importing.DOCUMENTS: [dict(DOCUMENT), dict(ANSWER), dict(NEW)],
    }
    for name, row, column, text in changes:
        tables[name][row][column] = text
    return tables


@pytest.fixture
def irat(serve):
    with serve("irat"):
        yield


def new(case=None):
    document = Document(sender="M", subject="K", received_on=timezone.localdate(), registered_by="teszt")
    document.register(case)
    return document


def test_registers_are_written_once_whole_and_their_numbers_go_on(irat):
    report = importing.check(files())
    assert not report.faults, report.faults
    assert report.totals == {"ügyirat": 2, "irat": 3, "folyamatban lévő ügyirat": 1}
    assert not Register.objects.exists() and not Case.objects.exists(), "a check writes nothing"
    importing.apply(files())
    old = Case.objects.select_related("register", "item").get(main=12)
    assert (old.number, old.state, old.item.code, old.keep_until.isoformat()) == (
        "IKT/2019/12", "archived", "F601", "2024-12-31",
    )  # fmt: skip
    assert [document.number for document in find("fakivagasi")] and old in handling.scrapable(YEAR)
    assert timezone.localtime(Document.objects.get(sub=4).registered_at).date().isoformat() == "2019-04-02"
    assert new().number == f"IKT/{YEAR}/4-1", "after the largest main number that was taken over"
    assert new(Case.objects.get(main=3)).number == f"IKT/{YEAR}/3-2"
    assert feed.rows(timezone.localdate())
    columns = {fault.column for fault in importing.check(files()).faults}
    assert columns == {"foszam"}, "a second time its registers have begun"


def test_numbers_go_on_after_the_largest_whatever_the_order_of_rows(irat):
    cases = [OPEN | {"foszam": f"IKT/{YEAR}/{main}"} for main in (3, 9, 5)]
    documents = [NEW | {"iktatoszam": f"IKT/{YEAR}/{number}"} for number in ("3-1", "3-6", "3-2", "9-1", "5-1")]
    tables = {importing.CASES: cases, importing.DOCUMENTS: documents}
    assert not importing.check(tables).faults
    importing.apply(tables)
    assert new().number == f"IKT/{YEAR}/10-1"
    assert new(Case.objects.get(main=3)).number == f"IKT/{YEAR}/3-7"


def test_a_register_of_a_year_that_is_over_is_closed_and_its_cases_go_on_under_new_numbers(irat):
    importing.apply(files())
    closed, current = (Register.objects.get(year=year) for year in (2019, YEAR))
    assert closed.closed_by == importing.CLERK and closed.last_main == 12 and current.closed_at is None
    with pytest.raises(DatabaseError), transaction.atomic():
        Register.objects.filter(pk=closed.pk).update(last_main=13)
    further = new(Case.objects.get(main=12))
    assert further.number == f"IKT/{YEAR}/4-1" and further.case.continues.number == "IKT/2019/12"


def test_a_register_that_has_begun_here_is_refused(irat):
    new()
    (fault,) = importing.check(files()).faults
    assert (fault.file, fault.row, fault.column) == (importing.CASES, 3, "foszam")


C, D = importing.CASES, importing.DOCUMENTS
WRONG = [
    (C, 0, "foszam", "12/2019"),
    (C, 0, "foszam", "IKT/2019/12-1"),
    (C, 0, "foszam", "IKT/2999/12"),
    (C, 1, "foszam", "IKT/2019/12"),
    (C, 0, "targy", ""),
    (C, 0, "allapot", "selejtezve"),
    (C, 0, "elintezes_modja", "sehogy"),
    (C, 0, "elintezve", ""),
    (C, 0, "tetelszam", "Z999"),
    (C, 0, "irattarba", "tegnap"),
    (C, 1, "ugyintezo", ""),
    (C, 1, "hatarido", ""),
    (C, 1, "elintezve", "2019-07-01"),
    (C, 1, "tetelszam", "F601"),
    (D, 0, "iktatoszam", "IKT/2019/12"),
    (D, 0, "iktatoszam", "IKT/2019/13-1"),
    (D, 1, "iktatoszam", "IKT/2019/12-1"),
    (D, 0, "irany", "oda"),
    (D, 1, "cimzett", ""),
    (D, 0, "kuldo", ""),
    (D, 0, "erkezett", "2999-01-01"),
    (D, 0, "iktatva", "2019-03-31"),
    (D, 0, "iktatta", ""),
]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: "-".join(map(str, change)))
def test_each_wrong_cell_is_named(irat, change):
    file, row, column, _ = change
    result = {(fault.file, fault.row, fault.column) for fault in importing.check(files(change)).faults}
    assert (file, row + 2, column) in result, result


def test_a_case_without_documents_is_named(irat):
    tables = files()
    del tables[importing.DOCUMENTS][2]
    (fault,) = importing.check(tables).faults
    assert (fault.file, fault.row, fault.column) == (importing.CASES, 3, "foszam")


def test_what_is_kept_for_ever_has_no_day(irat):
    importing.apply(files((C, 0, "tetelszam", ArchiveItem.objects.get(keep_years=None).code)))
    assert Case.objects.get(main=12).keep_until is None
