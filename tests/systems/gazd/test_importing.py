"""Importing earlier books: a clean set is written and can be paid, a fault is reported with its row."""

import copy

import pytest

from systems.core.errors import NotPossible
from systems.exchange.importing import Report
from systems.gazd import bookkeeping, importing, reports
from systems.gazd.models import Account, FiscalYear, Invoice, Partner, Voucher
from systems.shared import identifiers

FIRM = f"1234567{identifiers.firm_check_digit('1234567')}-2-05"
GOOD = {
    "szamlak.csv": [{"szamlaszam": "331", "megnevezes": "Költségvetési elszámolási számla"}],
    "partnerek.csv": [{"adoszam": FIRM, "nev": "Próba Kft.", "cim": "Sajószentpéter", "bankszamla": ""}],
    "nyito.csv": [
        {"nap": "2026-01-01", "szamlaszam": "331", "tartozik": "1500", "kovetel": ""},
        {"nap": "2026-01-01", "szamlaszam": "42", "tartozik": "", "kovetel": "500"},
        {"nap": "2026-01-01", "szamlaszam": "41", "tartozik": "0", "kovetel": "1000"},
    ],
    "nyitott_tetelek.csv": [
        {"adoszam": FIRM, "szamla": n, "rovat": "K3", "kelte": "2025-12-01", "hatarido": "2026-01-15", "brutto": amount}
        for n, amount in (("A-1", "200"), ("A-2", "300"))
    ],
}


@pytest.fixture
def gazd(serve):
    with serve("gazd"):
        yield


def faults(report: Report):
    return [(fault.file, fault.row, fault.column) for fault in report.faults]


def test_a_clean_set_is_written_and_its_open_items_are_paid(gazd):
    report = importing.check(GOOD)
    assert not report.faults, report.faults
    assert report.totals == {"nyitó tartozik": 1500, "nyitó követel": 1500, "nyitott tételek": 500}
    assert not Voucher.objects.exists() and not Partner.objects.exists(), "a check writes nothing"
    importing.apply(GOOD)
    assert Account.objects.get(pk="331").cash
    pks = list(Invoice.objects.values_list("pk", flat=True))
    bookkeeping.pay(pks, importing._day("2026-01-10"), "331", "k")
    balances = {row.account.pk: row.debit - row.credit for row in reports.trial_balance(2026)}
    assert balances == {"331": 1000, "41": -1000, "42": 0}
    with pytest.raises(NotPossible, match="nyitó"):
        bookkeeping.reverse(Voucher.objects.get(kind="opening").pk, importing._day("2026-01-11"), "k")
    assert importing.check(GOOD).faults, "not twice"


WRONG = [
    ("szamlak.csv", 0, "szamlaszam", "33"),
    ("szamlak.csv", 0, "szamlaszam", "33x"),
    ("szamlak.csv", 0, "megnevezes", " "),
    ("partnerek.csv", 0, "adoszam", "12345678-2-05"),
    ("partnerek.csv", 0, "nev", ""),
    ("nyito.csv", 0, "nap", "2026. január 1."),
    ("nyito.csv", 0, "szamlaszam", "999"),
    ("nyito.csv", 0, "tartozik", "1 500"),
    ("nyito.csv", 0, "tartozik", "-1500"),
    ("nyitott_tetelek.csv", 0, "adoszam", "x"),
    ("nyitott_tetelek.csv", 1, "szamla", "A-1"),
    ("nyitott_tetelek.csv", 0, "rovat", "B4"),
    ("nyitott_tetelek.csv", 0, "kelte", "tegnap"),
    ("nyitott_tetelek.csv", 0, "brutto", "0"),
]


@pytest.mark.parametrize(("file", "row", "column", "value"), WRONG)
def test_a_faulty_row_is_told_by_its_place(gazd, file, row, column, value):
    files = copy.deepcopy(GOOD)
    files[file][row][column] = value
    assert (file, row + 2, column) in faults(importing.check(files))


@pytest.mark.parametrize("amount", ["199", "201"])
def test_open_items_are_neither_more_nor_less_than_the_ledger_owes(gazd, amount):
    files = copy.deepcopy(GOOD)
    files["nyitott_tetelek.csv"][0]["brutto"] = amount
    assert faults(importing.check(files)) == [("nyitott_tetelek.csv", 1, "brutto")]


@pytest.mark.parametrize("amount", ["999", "1001"])
def test_both_sides_of_the_opening_agree(gazd, amount):
    files = copy.deepcopy(GOOD)
    files["nyito.csv"][2]["kovetel"] = amount
    assert faults(importing.check(files)) == [("nyito.csv", 1, "kovetel")]


@pytest.mark.parametrize(("closed_through", "accepted"), [("2025-12-31", True), ("2026-01-01", False)])
def test_nothing_is_opened_in_a_period_that_is_closed(gazd, closed_through, accepted):
    FiscalYear.objects.create(year=2026, closed_through=closed_through)
    assert (("nyito.csv", 1, "nap") not in faults(importing.check(GOOD))) is accepted


def test_sums_must_agree(gazd):
    files = copy.deepcopy(GOOD)
    files["nyito.csv"][2]["kovetel"] = "999"
    assert ("nyito.csv", 1, "kovetel") in faults(importing.check(files))
    files = copy.deepcopy(GOOD)
    files["nyitott_tetelek.csv"][0]["brutto"] = "201"
    assert faults(importing.check(files)) == [("nyitott_tetelek.csv", 1, "brutto")]
    files = copy.deepcopy(GOOD)
    files["nyito.csv"][1]["nap"] = "2026-01-02"
    assert faults(importing.check(files)) == [("nyito.csv", 1, "nap")]
