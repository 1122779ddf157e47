"""Open liabilities of an earlier tax system are imported to the forint, or not at all."""

import datetime as dt

import pytest

from systems.ado import importing
from systems.ado.importing import ASSESSMENTS, INSTALMENTS, PAYMENTS, TAXPAYERS
from systems.ado.models import Assessment, PaymentPart, Taxpayer
from tests.systems.ado.test_tax import FIRM

OF = {"adoazonosito": FIRM, "adonem": "hipa", "ev": "2024"}
FILES = {
    TAXPAYERS: [{"adoazonosito": FIRM, "nev": "Régi Kft.", "cim": "Miskolc"}],
    ASSESSMENTS: [OF | {"adoalap": "10000050", "ezrelek": "20", "ado": "200001"}],
    INSTALMENTS: [
        OF | {"esedekesseg": "2025-03-15", "osszeg": "100001"},
        OF | {"esedekesseg": "2025-09-15", "osszeg": "100000"},
    ],
    PAYMENTS: [{"adoazonosito": FIRM, "nap": "2025-03-10", "osszeg": "100001", "hivatkozas": "B1"}],
}


@pytest.fixture
def ado(serve):
    with serve("ado"):
        yield


def files_with(name, **cells):
    return FILES | {name: [FILES[name][0] | cells, *FILES[name][1:]]}


def test_clean_accounts_are_written_once_and_the_balance_is_the_promised_one(ado):
    report = importing.check(FILES)
    assert not report.faults, report.faults
    assert report.totals == {"adózó": 1, "kivetett adó": 200_001, "befizetett adó": 100_001, "egyenleg": 100_000}
    assert not Taxpayer.objects.exists(), "a check writes nothing"
    importing.apply(FILES)
    balance = Taxpayer.objects.get().balance(dt.date(2025, 9, 15))
    assert (balance.due - balance.paid, balance.interest) == (report.totals["egyenleg"], 0)
    assert PaymentPart.objects.get().tax_id == "hipa", "the debt that it settled"
    assert {(f.file, f.column) for f in importing.check(FILES).faults} == {
        (TAXPAYERS, "adoazonosito"),
        (ASSESSMENTS, "ev"),
        (PAYMENTS, "hivatkozas"),
    }


def test_a_taxpayer_who_is_known_already_needs_no_row(ado):
    Taxpayer.objects.create(identifier=FIRM, name="x", address="x")
    others = {name: rows for name, rows in FILES.items() if name != TAXPAYERS}
    assert not importing.check(others).faults
    importing.apply(others)
    assert Assessment.objects.get().amount == 200_001


WRONG = [
    (TAXPAYERS, "nev", "", TAXPAYERS, "nev"),
    (ASSESSMENTS, "ado", "200002", ASSESSMENTS, "ado"),
    (INSTALMENTS, "osszeg", "100002", ASSESSMENTS, "ado"),
    (ASSESSMENTS, "ezrelek", "1001", ASSESSMENTS, "ezrelek"),
    (ASSESSMENTS, "adoalap", "1,5", ASSESSMENTS, "adoalap"),
    (PAYMENTS, "osszeg", "0", PAYMENTS, "osszeg"),
    (PAYMENTS, "nap", "2999-01-01", PAYMENTS, "nap"),
    (PAYMENTS, "adoazonosito", "8345671233", PAYMENTS, "adoazonosito"),
    (PAYMENTS, "hivatkozas", "", PAYMENTS, "hivatkozas"),
]


@pytest.mark.parametrize(("name", "column", "value", "file", "place"), WRONG)
def test_a_wrong_row_is_told(ado, name, column, value, file, place):
    assert not importing.check(FILES).faults
    faults = importing.check(files_with(name, **{column: value})).faults
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [(file, 2, place)], faults


@pytest.mark.parametrize(("column", "value"), [("adonem", "nincs"), ("ev", "1989"), ("ev", "2999")])
def test_an_assessment_that_nobody_knows_takes_its_instalments_with_it(ado, column, value):
    faults = importing.check(files_with(ASSESSMENTS, **{column: value})).faults
    assert (ASSESSMENTS, column) in {(fault.file, fault.column) for fault in faults}
    assert {fault.file for fault in faults} == {ASSESSMENTS, INSTALMENTS}


def test_an_instalment_comes_once(ado):
    twice = FILES | {INSTALMENTS: [*FILES[INSTALMENTS], FILES[INSTALMENTS][0] | {"osszeg": "0"}]}
    assert [(fault.row, fault.column) for fault in importing.check(twice).faults] == [(4, "esedekesseg")]
