"""From one year to the next: the ledger continues with its closing balances, and open orders keep their cover."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems.core.errors import NotPossible
from systems.gazd import bookkeeping, reports, years
from systems.gazd.bookkeeping import Line
from systems.gazd.models import Appropriation, Commitment, FiscalYear, Invoice, Item, Partner, VatRate, Voucher

OLD, NEW = 2026, 2027
LAST, FIRST = dt.date(OLD, 12, 31), dt.date(NEW, 1, 1)


def day(n):
    return dt.date(OLD, 1, 1) + dt.timedelta(days=n)


@pytest.fixture
def gazd(serve):
    with serve("gazd"):
        yield


def books():
    """A year with a budget, an opening, a partner."""
    year = years.open_year(OLD, "k")
    for code, amount in (("K3", 5_000_000), ("K6", 2_000_000)):
        bookkeeping.appropriate(year, Item.objects.get(pk=code), amount)
    lines = [Line("33", debit=3_000_000), Line("12", debit=1_000_000), Line("41", credit=4_000_000)]
    bookkeeping.post("opening", day(0), "nyitás", lines, "k")
    Partner.objects.create(name="Próba Kft.", tax_number="12345676-2-05", address="Sajószentpéter")


def order(amount, item="K3", when=1, year=OLD):
    plan = Appropriation.objects.select_related("item").get(year=year, item=item)
    held = bookkeeping.commit(plan, Partner.objects.get(), "papír", day(when), amount, "k")
    bookkeeping.countersign(held.pk, "e")
    return held


def invoice(held, net, number):
    days = (day(2), day(2), day(32))
    return bookkeeping.record_invoice(held, number, days, [("papír", net, VatRate.objects.get(pk=0), False)], "k")


def approve(pk, when, clerk):
    """Validate and approve."""
    if not Invoice.objects.get(pk=pk).validated_by:
        bookkeeping.validate(pk, "v")
    return bookkeeping.approve(pk, when, clerk)


def balances(year):
    return {row.account.pk: row.debit - row.credit for row in reports.trial_balance(year) if row.debit != row.credit}


def closing(year):
    """What a year must carry over: the balance sheet's balances, with the result in the equity."""
    result = {}
    for code, amount in balances(year).items():
        code = code if code[0] in "1234" else "41"
        result[code] = result.get(code, 0) + amount
    return {code: amount for code, amount in result.items() if amount}


def opening(year):
    voucher = Voucher.objects.filter(year=year, kind="opening").first()
    return {e.account_id: e.debit - e.credit for e in voucher.entries.all()} if voucher else {}


def test_the_closed_year_opens_the_next_and_the_ledger_goes_on(gazd):
    books()
    bookkeeping.receive(Item.objects.get(pk="B4"), 700_000, day(5), "33", "bérlet", "k")
    bill = invoice(order(100_000), 100_000, "A")
    approve(bill.pk, day(9), "j")
    years.close_through(OLD, LAST, "zaro.zita")
    assert not Voucher.objects.filter(year=NEW).exists()
    years.open_year(NEW, "nyito.nora")
    voucher = Voucher.objects.get(year=NEW)
    assert (voucher.kind, voucher.day, voucher.recorded_by) == ("opening", FIRST, "nyito.nora")
    assert opening(NEW) == closing(OLD) == {"12": 1_000_000, "33": 3_700_000, "41": -4_600_000, "42": -100_000}
    years.open_year(NEW, "nyito.nora")
    assert Voucher.objects.filter(year=NEW).count() == 1, "opened once"
    bookkeeping.pay([bill.pk], dt.date(NEW, 1, 8), "33", "k")
    assert balances(NEW) == {"12": 1_000_000, "33": 3_600_000, "41": -4_600_000}
    assert reports.cash_change(NEW) == -100_000, "what the year was opened with did not move"
    years.close_through(NEW, dt.date(NEW, 12, 31), "k")
    years.open_year(NEW + 1, "k")
    assert opening(NEW + 1) == balances(NEW)


def test_a_year_opened_before_the_closing_is_opened_by_it(gazd):
    books()
    years.open_year(NEW, "k")
    bookkeeping.post("other", dt.date(NEW, 1, 5), "x", [Line("11", debit=5), Line("41", credit=5)], "k")
    with pytest.raises(NotPossible, match="Előbb a.z. 2026. évet"):
        years.close_through(NEW, dt.date(NEW, 1, 31), "k")
    years.close_through(OLD, dt.date(OLD, 11, 30), "k")
    assert not opening(NEW)
    years.close_through(OLD, LAST, "k")
    assert opening(NEW) == closing(OLD) == {"12": 1_000_000, "33": 3_000_000, "41": -4_000_000}
    years.close_through(NEW, dt.date(NEW, 1, 31), "k")
    with pytest.raises(NotPossible, match="későbbi év már nyitva"):
        years.open_year(OLD - 1, "k")


def test_what_is_ordered_and_unpaid_finds_its_cover_in_the_new_year(gazd):
    books()
    done, part, waiting = order(100), order(1_000), order(10_000)
    approve(invoice(done, 100, "A").pk, day(3), "j")
    bookkeeping.pay([Invoice.objects.get(number="A").pk], day(4), "33", "k")
    partly = invoice(part, 600, "B")
    approve(partly.pk, day(3), "j")
    bookkeeping.pay_part(partly.pk, 200, day(4), "33", "k")
    unpaid, recorded = invoice(waiting, 4_000, "C"), invoice(waiting, 5_000, "D")
    approve(unpaid.pk, day(3), "j")
    years.close_through(OLD, LAST, "k")
    years.open_year(NEW, "k")
    carried = {
        c.subject[:9]: (c.number, c.amount, c.invoiced, c.open_amount) for c in Commitment.objects.filter(day=FIRST)
    }
    assert carried == {"KV/2026/2": ("KV/2027/1", 400, 0, 400), "KV/2026/3": ("KV/2027/2", 10_000, 9_000, 1_000)}
    plan = Appropriation.objects.get(year=NEW)
    assert (plan.item_id, plan.original, plan.modified, plan.committed) == ("K3", 0, 10_400, 10_400)
    assert [m.decision for m in plan.modifications.order_by("id")] == ["Áthozat: KV/2026/2", "Áthozat: KV/2026/3"]
    assert Appropriation.objects.get(year=OLD, item="K3").committed == 700
    assert {c.open_amount for c in Commitment.objects.filter(appropriation__year=OLD)} == {0}
    with pytest.raises(NotPossible, match="2026. év le van zárva"):
        order(1)
    for made in (unpaid, recorded):
        made.refresh_from_db()
        assert made.commitment.appropriation.year_id == NEW
    kept = Commitment.objects.filter(day=FIRST).values_list("recorded_by", "countersigned_by")
    assert set(kept) == {("k", "e")}, "who may sign does not change with the year"
    bookkeeping.reject(recorded.pk, "j")
    assert Commitment.objects.get(sequence=2, appropriation__year=NEW).open_amount == 6_000
    added = bookkeeping.appropriate(FiscalYear.objects.get(pk=NEW), Item.objects.get(pk="K3"), 50_000)
    assert (added.pk, added.original, added.modified, added.free) == (plan.pk, 50_000, 60_400, 50_000)
    with pytest.raises(NotPossible, match="már van 2027. évi"):
        bookkeeping.appropriate(FiscalYear.objects.get(pk=NEW), Item.objects.get(pk="K3"), 50_000)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "invoice", "approve", "reject", "pay", "part", "reverse", "in", "by hand", "year"]),
        st.integers(0, 7),
        st.integers(1, 900_000),
        st.integers(0, 500),
    ),
    max_size=25,
)


def _apply(name, which, amount, when):
    def nth(model):
        models = list(model.objects.order_by("pk"))
        return models[which % len(models)] if models else None

    if name == "order":
        order(amount, "K3" if which % 2 else "K6", when, day(when).year)
    elif name == "invoice" and (held := nth(Commitment)):
        invoice(held, max(1, amount // 5), f"SZ-{amount}")
    elif name in ("approve", "reject", "pay", "part") and (made := nth(Invoice)):
        if name == "approve":
            approve(made.pk, day(when), "j")
        elif name == "reject":
            bookkeeping.reject(made.pk, "j")
        elif name == "pay":
            bookkeeping.pay([made.pk], day(when), "33", "k")
        else:
            bookkeeping.pay_part(made.pk, max(1, amount // 9), day(when), "32", "k")
    elif name == "reverse" and (voucher := nth(Voucher)):
        bookkeeping.reverse(voucher.pk, day(when), "k")
    elif name == "in":
        bookkeeping.receive(Item.objects.get(pk="B4"), amount, day(when), "33", "x", "k")
    elif name == "by hand":
        lines = [Line("32", debit=amount, item="B4" if which % 2 else None), Line("84", credit=amount)]
        bookkeeping.post("other", day(when), "x", lines, "k")
    elif name == "year":
        [
            lambda: years.open_year(NEW, "k"),
            lambda: years.close_through(OLD, LAST, "k"),
            lambda: years.close_through(OLD, day(when % 365), "k"),
        ][which % 3]()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.booleans())
def test_whatever_is_done_in_two_years_the_ledger_goes_on(gazd, steps, closed_first):
    with transaction.atomic():
        books()
        for step in steps:
            try:
                _apply(*step)
            except (NotPossible, Appropriation.DoesNotExist):
                continue
        finish = [lambda: years.open_year(NEW, "k")]
        if not FiscalYear.objects.get(pk=OLD).closed:
            finish.insert(0 if closed_first else 1, lambda: years.close_through(OLD, LAST, "k"))
        for work in finish:
            work()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert opening(NEW) == closing(OLD)
        for year in (OLD, NEW):
            rows = reports.trial_balance(year)
            assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
            signs = {"revenue": 1, "expense": -1}
            message = sum(row.actual * signs[row.item.side] for row in reports.cash_report(year))
            assert message == reports.cash_change(year) and reports.cash_without_item(year) == 0
        for plan in Appropriation.objects.all():
            assert plan.committed == sum(c.amount - c.released for c in plan.commitment_set.all()) <= plan.modified
            assert plan.modified == plan.original + sum(plan.modifications.values_list("amount", flat=True))
        for commitment in Commitment.objects.all():
            assert commitment.invoiced == sum(
                commitment.invoice_set.exclude(state="rejected").values_list("gross", flat=True)
            )
        owed = sum(made.open_amount for made in Invoice.objects.filter(state="approved"))
        assert -balances(NEW).get("42", 0) == owed, "the ledger owes what the invoices say"
        assert Voucher.objects.filter(year=NEW, kind="opening").aggregate(n=Sum("total"))["n"]
        transaction.set_rollback(True)
