"""Deductible VAT: its own account and item, also in payments, and the summary of a period."""

import datetime as dt

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems.core.errors import NotPossible
from systems.gazd import bookkeeping, reports, years
from systems.gazd.models import Entry, Invoice, InvoiceLine, Item, Partner, VatRate
from tests.systems.gazd.test_pages import sheet_rows, text_of


def day(n):
    return dt.date(2026, 1, 1) + dt.timedelta(days=n)


@pytest.fixture
def gazd(serve):
    with serve("gazd"):
        yield


def new_invoice(*lines, item="K3", number="A", performed=2):
    """An invoice of lines (net, percent, deductible)."""
    year, item = years.open_year(2026, "k"), Item.objects.get(pk=item)
    partner, _ = Partner.objects.get_or_create(tax_number="12345676-2-05", defaults={"name": "Próba", "address": "x"})
    plan = item.appropriation_set.first() or bookkeeping.appropriate(year, item, 10**9)
    commitment = bookkeeping.commit(plan, partner, "papír", day(1), 300_000, "k")
    bookkeeping.countersign(commitment.pk, "e")
    parts = [("x", net, VatRate.objects.get(pk=percent), deductible) for net, percent, deductible in lines]
    days = (day(2), day(performed), day(performed + 30))
    return bookkeeping.record_invoice(commitment, number, days, parts, "k")


def approved(pk, when, clerk):
    bookkeeping.validate(pk, "v")
    return bookkeeping.approve(pk, when, clerk)


def sides(voucher):
    return [(e.account_id, e.item_id, e.debit - e.credit) for e in voucher.entries.all()]


def test_deductible_vat_is_posted_and_paid_on_its_own(gazd):
    bill = new_invoice((100_000, 27, True), (1_000, 18, False))
    assert bill.gross == 128_180
    voucher = approved(bill.pk, day(3), "j")
    assert sides(voucher) == [("52", None, 101_180), ("3641", None, 27_000), ("42", None, -128_180)]
    part = bookkeeping.pay_part(bill.pk, 64_090, day(4), "33", "k")
    assert sides(part) == [("42", None, 64_090), ("33", "K3", -50_590), ("33", "K351", -13_500)]
    bookkeeping.pay([bill.pk], day(5), "33", "k")
    actual = {row.item.pk: row.actual for row in reports.cash_report(2026)}
    assert actual == {"K3": 101_180, "K351": 27_000}
    assert reports.cash_change(2026) == -128_180


def test_without_the_choice_everything_stays_on_the_item(gazd):
    bill = new_invoice((100_000, 27, False))
    assert sides(approved(bill.pk, day(3), "j")) == [("52", None, 127_000), ("42", None, -127_000)]
    (paid,) = bookkeeping.pay([bill.pk], day(4), "33", "k")
    assert sides(paid) == [("42", None, 127_000), ("33", "K3", -127_000)]


@pytest.mark.parametrize(
    ("lines", "item", "cause"),
    [
        ([(1_000, 27, True)], "K5", "K5 rovaton nem vonható le áfa"),
        ([(1_000, 27, True), (-1_100, 0, False)], "K3", "nem lehet több a számla végösszegénél"),
        ([(1_000, 27, False), (-500, 27, True)], "K3", "nem lehet negatív"),
    ],
)
def test_vat_that_cannot_be_deducted_is_refused(gazd, lines, item, cause):
    with pytest.raises(NotPossible, match=cause):
        new_invoice(*lines, item=item)
    assert not Invoice.objects.exists()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 900), st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=8))
def test_however_it_is_paid_the_vat_paid_is_that_of_the_invoice(gazd, net, parts):
    bill = new_invoice((net, 27, True), (net // 3, 5, False), number=f"SZ-{Invoice.objects.count()}")
    before = {row.item.pk: row.actual for row in reports.cash_report(2026)}
    approved(bill.pk, day(3), "j")
    for amount, undone in parts:
        try:
            voucher = bookkeeping.pay_part(bill.pk, amount, day(4), "33", "k")
        except NotPossible:
            continue
        if undone:
            bookkeeping.reverse(voucher.pk, day(5), "k")
    bill.refresh_from_db()
    if bill.open_amount:
        bookkeeping.pay([bill.pk], day(6), "33", "k")
    actual = {row.item.pk: row.actual for row in reports.cash_report(2026)}
    assert actual.get("K351", 0) - before.get("K351", 0) == bill.deductible
    assert actual.get("K3", 0) - before.get("K3", 0) == bill.gross - bill.deductible
    assert Entry.objects.filter(account="42").aggregate(n=Sum("debit") - Sum("credit"))["n"] == 0


def test_the_summary_of_a_period_has_what_was_posted_by_rate(browse, serve):
    clerk = browse("gazd", "konyvelo")
    with serve("gazd"):
        for number, performed in (("A", 2), ("B", 40)):
            bill = new_invoice((100_000, 27, True), (10_000, 18, False), number=number, performed=performed)
            approved(bill.pk, day(50), "j")
        new_invoice((7_000, 5, False), number="waiting")
    page = text_of(clerk.get("/gazd/kimutatasok/afa?tol=2026-01-01&ig=2026-01-31"))
    assert "<td>18 %</td>" in page and "<td>5 %</td>" not in page, "what is not posted is not in it"
    sheet = sheet_rows(clerk.get("/gazd/kimutatasok/afa.xlsx?tol=2026-01-01&ig=2026-12-31"))
    assert sheet[1:] == [
        ["27 %", 200_000, 54_000, 54_000, 0],
        ["18 %", 20_000, 3_600, 0, 3_600],
        ["Összesen", 220_000, 57_600, 54_000, 3_600],
    ]
    assert clerk.get("/gazd/kimutatasok/afa").status_code == 200
    wrong = clerk.get("/gazd/kimutatasok/afa?tol=2026-02-01&ig=2026-01-31")
    assert (wrong.status_code, "nem lehet korábbi, mint az első" in text_of(wrong)) == (422, True)
    assert clerk.get("/gazd/kimutatasok/afa.xlsx?tol=x").status_code == 404


def test_the_pages_offer_the_choice_and_show_it(browse, serve):
    clerk = browse("gazd", "konyvelo")
    with serve("gazd"):
        bill = new_invoice((1_000, 27, False))
    lines = {"form-TOTAL_FORMS": "6", "form-INITIAL_FORMS": "0", "form-0-text": "papír", "form-0-net": "2 000"}
    lines |= {"form-0-rate": "27", "form-0-deductible": "on"}
    data = {"number": "B", "issued": "2026-02-02", "performed": "2026-02-02", "due": "2026-03-04"}
    assert clerk.post(f"/gazd/kotelezettsegek/{bill.commitment_id}/szamla", data | lines).status_code == 302
    with serve("gazd"):
        line = InvoiceLine.objects.get(invoice__number="B")
    assert line.deductible
    assert 'data-label="Levonható">igen' in text_of(clerk.get(f"/gazd/szamlak/{line.invoice_id}/"))
    assert 'data-label="Levonható">nem' in text_of(clerk.get(f"/gazd/szamlak/{bill.pk}/"))
