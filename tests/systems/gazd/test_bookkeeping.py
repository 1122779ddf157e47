"""The books on a real database: they always balance, budgets hold, closed periods refuse postings."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems import tenancy
from systems.core.errors import NotPossible
from systems.gazd import bookkeeping, reports, years
from systems.gazd.bookkeeping import Line
from systems.gazd.models import (
    Appropriation,
    Commitment,
    Entry,
    FiscalYear,
    Invoice,
    Item,
    Partner,
    VatRate,
    Voucher,
)

YEAR = 2026
THREADS = 6  # with the test's own connection below the role's limit


def day(n):
    return dt.date(YEAR, 1, 1) + dt.timedelta(days=n)


def books(amount=1_000_000):
    """A year with one appropriation for K3 and a partner."""
    year = years.open_year(YEAR, "k")
    partner = Partner.objects.create(name="Próba Kft.", tax_number="12345676-2-05", address="Sajószentpéter")
    return bookkeeping.appropriate(year, Item.objects.get(pk="K3"), amount), partner


def order(amount=127_000, budget=1_000_000):
    """An order, countersigned."""
    appropriation, partner = books(budget)
    commitment = bookkeeping.commit(appropriation, partner, "papír", day(1), amount, "konyvelo")
    bookkeeping.countersign(commitment.pk, "ellenjegyzo")
    return commitment


def invoice(commitment, net=100_000, number="SZ-1", clerk="konyvelo"):
    days = (day(2), day(2), day(32))
    return bookkeeping.record_invoice(
        commitment, number, days, [("papír", net, VatRate.objects.get(pk=27), False)], clerk
    )


def approve(pk, when, clerk):
    """Validate and approve."""
    if not Invoice.objects.get(pk=pk).validated_by:
        bookkeeping.validate(pk, "ervenyesito")
    return bookkeeping.approve(pk, when, clerk)


def sums():
    entrys = Entry.objects.aggregate(debit=Sum("debit", default=0), credit=Sum("credit", default=0))
    return entrys["debit"], entrys["credit"]


@pytest.fixture
def gazd(serve):
    with serve("gazd"):
        yield


def test_an_invoice_goes_from_order_to_payment(gazd):
    commitment = order()
    bill = invoice(commitment)
    assert bill.gross == 127_000
    approve(bill.pk, day(3), "jovahagyo")
    (voucher,) = bookkeeping.pay([bill.pk], day(4), "33", "penztaros")
    bill.refresh_from_db()
    assert (bill.state, bill.payments.get().voucher_id, voucher.number) == (
        "paid",
        voucher.pk,
        2,
    )
    assert sums() == (254_000, 254_000)
    assert bookkeeping.release(commitment.pk) == 0


def test_four_eyes_are_needed(gazd):
    bill = invoice(order())
    for decide in (
        lambda: approve(bill.pk, day(3), "konyvelo"),
        lambda: bookkeeping.reject(bill.pk, "konyvelo"),
    ):
        with pytest.raises(NotPossible, match="másnak"):
            decide()
    with pytest.raises(IntegrityError, match="four_eyes"):
        Invoice.objects.filter(pk=bill.pk).update(decided_by="konyvelo")


def test_no_two_incompatible_steps_have_one_signature(gazd):
    appropriation, partner = books()
    commitment = bookkeeping.commit(appropriation, partner, "papír", day(1), 127_000, "rendelo")
    with pytest.raises(NotPossible, match="még nincs ellenjegyezve"):
        invoice(commitment)
    with pytest.raises(NotPossible, match="vállalta, nem ellenjegyezheti"):
        bookkeeping.countersign(commitment.pk, "rendelo")
    bookkeeping.countersign(commitment.pk, "ellenjegyzo")
    with pytest.raises(NotPossible, match="már ellenjegyezték"):
        bookkeeping.countersign(commitment.pk, "masik")
    bill = invoice(commitment)
    with pytest.raises(NotPossible, match="előbb érvényesíteni"):
        bookkeeping.approve(bill.pk, day(3), "jovahagyo")
    with pytest.raises(NotPossible, match="vállalta, nem érvényesítheti"):
        bookkeeping.validate(bill.pk, "rendelo")
    bookkeeping.validate(bill.pk, "ervenyesito")
    with pytest.raises(NotPossible, match="már érvényesítették"):
        bookkeeping.validate(bill.pk, "masik")
    with pytest.raises(NotPossible, match="érvényesítette, nem utalványozhatja"):
        bookkeeping.approve(bill.pk, day(3), "ervenyesito")
    with pytest.raises(IntegrityError, match="countersigned_by_another"):
        Commitment.objects.update(countersigned_by="rendelo")
    bookkeeping.approve(bill.pk, day(3), "jovahagyo")
    with pytest.raises(IntegrityError, match="validated_by_another"):
        Invoice.objects.update(validated_by="jovahagyo")
    bill.refresh_from_db()
    assert (commitment.recorded_by, bill.recorded_by, bill.validated_by, bill.decided_by) == (
        "rendelo", "konyvelo", "ervenyesito", "jovahagyo",
    )  # fmt: skip


def test_the_same_number_of_one_partner_comes_once_unless_it_was_sent_back(gazd):
    commitment = order(600_000)
    first = invoice(commitment)
    with pytest.raises(NotPossible, match="már rögzítve"):
        invoice(commitment)
    assert Commitment.objects.get().invoiced == 127_000, "the refused one took nothing"
    bookkeeping.reject(first.pk, "jovahagyo")
    assert Commitment.objects.get().invoiced == 0
    invoice(commitment)


def test_a_budget_is_never_exceeded(gazd):
    appropriation, partner = books(1000)
    bookkeeping.commit(appropriation, partner, "a", day(1), 900, "k")
    with pytest.raises(NotPossible, match="szabad előirányzat 100 Ft"):
        bookkeeping.commit(appropriation, partner, "b", day(1), 101, "k")
    with pytest.raises(NotPossible, match="le van kötve"):
        bookkeeping.modify(appropriation.pk, -101, "1/2026", day(1), "k")
    bookkeeping.modify(appropriation.pk, -100, "1/2026", day(1), "k")
    with pytest.raises(IntegrityError, match="within_the_budget"):
        Appropriation.objects.update(committed=901)


@pytest.mark.parametrize(("when", "accepted"), [((2025, 12, 31), False), ((2026, 1, 1), True), ((2026, 12, 31), True),
                                                ((2027, 1, 1), False)])  # fmt: skip
def test_a_commitment_is_of_its_budgets_year(gazd, when, accepted):
    appropriation, partner = books()
    if accepted:
        assert bookkeeping.commit(appropriation, partner, "papír", dt.date(*when), 1, "k").day == dt.date(*when)
        return
    with pytest.raises(NotPossible, match="napja 2026. évi legyen"):
        bookkeeping.commit(appropriation, partner, "papír", dt.date(*when), 1, "k")
    appropriation.refresh_from_db()
    assert appropriation.committed == 0 and not Commitment.objects.exists()


def test_only_expenses_are_committed_and_only_revenues_received(gazd):
    appropriation, partner = books()
    revenue = Item.objects.filter(side=Item.Side.REVENUE).first()
    income = bookkeeping.appropriate(appropriation.year, revenue, 1000)
    with pytest.raises(NotPossible, match="csak kiadási előirányzatra"):
        bookkeeping.commit(income, partner, "papír", day(1), 1, "k")
    with pytest.raises(NotPossible, match="bevételi rovatra lehet könyvelni"):
        bookkeeping.receive(appropriation.item, 1, day(1), bookkeeping.BANK, "bevétel", "k")
    assert not Voucher.objects.exists()
    bookkeeping.receive(revenue, 500, day(1), bookkeeping.BANK, "bevétel", "k")
    assert sums() == (500, 500)


def test_an_invoice_stays_within_its_commitment(gazd):
    commitment = order(126_999)
    with pytest.raises(NotPossible, match="126\xa0999 Ft maradt"):
        invoice(commitment)


def test_what_is_posted_never_changes(gazd):
    books()
    voucher = bookkeeping.post("other", day(1), "x", [Line("11", debit=5), Line("41", credit=5)], "k")
    for change in (
        lambda: Voucher.objects.update(text="y"),
        lambda: Entry.objects.update(debit=6),
        lambda: Entry.objects.filter(voucher=voucher)._raw_delete("default"),
        lambda: Voucher.objects.filter(pk=voucher.pk)._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError, match="never change|foreign key"):
            change()


def test_the_database_refuses_what_does_not_balance(gazd):
    books()

    def raw(total, *sides):
        with transaction.atomic():
            voucher = Voucher.objects.create(
                year_id=YEAR, kind="other", day=day(1), text="x", total=total, recorded_by="k"
            )
            for debit, credit in sides:
                Entry.objects.create(voucher=voucher, account_id="11", debit=debit, credit=credit)
        return voucher

    for total, sides in [(5, [(5, 0)]), (5, [(5, 0), (0, 4)]), (5, []), (6, [(5, 0), (0, 5)])]:
        with pytest.raises(IntegrityError, match="does not balance"):
            raw(total, *sides)
    balanced = raw(5, (5, 0), (0, 5))
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        Entry.objects.create(voucher=balanced, account_id="11", debit=7)
        Entry.objects.create(voucher=balanced, account_id="11", credit=7)
    assert Voucher.objects.get().number == 1, "what was refused left no gap"


def test_a_closed_period_takes_nothing_and_stays_closed(gazd):
    bill = invoice(order())
    years.close_through(YEAR, day(30), "k")
    with pytest.raises(NotPossible, match="lezárt"):
        approve(bill.pk, day(30), "jovahagyo")
    with pytest.raises(NotPossible, match="már le van zárva"):
        years.close_through(YEAR, day(29), "k")
    with pytest.raises(IntegrityError, match="do not go back"):
        FiscalYear.objects.update(closed_through=None)
    approve(bill.pk, day(31), "jovahagyo")
    with pytest.raises(NotPossible, match="nincs megnyitva"):
        bookkeeping.post("other", dt.date(2031, 1, 1), "x", [Line("11", debit=5), Line("41", credit=5)], "k")


def test_a_period_is_closed_once(gazd):
    years.open_year(YEAR, "k")
    years.close_through(YEAR, day(30), "k")
    with pytest.raises(NotPossible, match="már le van zárva"):
        years.close_through(YEAR, day(30), "k")
    years.close_through(YEAR, day(31), "k")


@pytest.mark.parametrize("counter", ["last_voucher", "last_commitment"])
def test_numbers_of_a_year_do_not_go_back(gazd, counter):
    order()
    bookkeeping.post("other", day(1), "x", [Line("11", debit=5), Line("41", credit=5)], "k")
    assert FiscalYear.objects.filter(**{counter: 1}).exists()
    with pytest.raises(IntegrityError, match="do not go back"):
        FiscalYear.objects.update(**{counter: 0})


def test_money_is_paid_from_where_money_is(gazd):
    bill = invoice(order())
    approve(bill.pk, day(3), "jovahagyo")
    for work in (
        lambda: bookkeeping.pay([bill.pk], day(4), "12", "k"),
        lambda: bookkeeping.pay_part(bill.pk, 1, day(4), "12", "k"),
    ):
        with pytest.raises(NotPossible, match="pénztárból vagy bankszámláról"):
            work()
    assert not Voucher.objects.filter(kind="payment").exists()


def test_cash_that_moves_by_hand_says_what_for_unless_it_stays_cash(gazd):
    years.open_year(YEAR, "k")

    def by_hand(*lines):
        return bookkeeping.post("other", day(1), "x", lines, "k")

    for lines in (
        [Line("33", debit=5), Line("84", credit=5)],
        [Line("84", debit=5), Line("32", credit=5)],
        [Line("33", debit=5), Line("32", credit=3), Line("84", credit=2)],
    ):
        with pytest.raises(NotPossible, match="kimaradna a pénzforgalmi jelentésből"):
            by_hand(*lines)
    assert not Voucher.objects.exists()
    assert by_hand(Line("33", debit=5, item="B4"), Line("84", credit=5)).total == 5
    assert by_hand(Line("33", debit=5), Line("32", credit=5)).total == 5, "from the desk to the bank"


def test_what_is_taken_back_in_a_later_year_is_below_zero_there(gazd):
    revenue = Item.objects.filter(side=Item.Side.REVENUE).first()
    years.open_year(YEAR, "k")
    voucher = bookkeeping.receive(revenue, 500, day(1), bookkeeping.BANK, "bevétel", "k")
    years.open_year(YEAR + 1, "k")
    bookkeeping.reverse(voucher.pk, dt.date(YEAR + 1, 1, 5), "k")
    actual = {year: [row.actual for row in reports.cash_report(year)] for year in (YEAR, YEAR + 1)}
    assert actual == {YEAR: [500], YEAR + 1: [-500]}


def test_an_invoice_is_paid_in_parts_and_never_more_than_is_left(gazd):
    bill = invoice(order())
    posting = approve(bill.pk, day(3), "jovahagyo")
    first = bookkeeping.pay_part(bill.pk, 100_000, day(4), "33", "k")
    bill.refresh_from_db()
    assert (bill.state, bill.paid, bill.open_amount) == (
        "approved",
        100_000,
        27_000,
    )
    for amount in (27_001, 0, -1):
        with pytest.raises(NotPossible, match="27.000 Ft van hátra"):
            bookkeeping.pay_part(bill.pk, amount, day(5), "33", "k")
    with pytest.raises(NotPossible, match="előbb a kifizetést"):
        bookkeeping.reverse(posting.pk, day(5), "k")
    bookkeeping.pay([bill.pk], day(5), "32", "k")
    bill.refresh_from_db()
    assert (bill.state, bill.open_amount, bill.payments.count()) == ("paid", 0, 2)
    bookkeeping.reverse(first.pk, day(6), "k")
    bill.refresh_from_db()
    assert (bill.state, bill.paid) == ("approved", 27_000)
    bookkeeping.pay_part(bill.pk, 100_000, day(7), "33", "k")
    bill.refresh_from_db()
    assert bill.state == "paid"
    liabilities = Entry.objects.filter(account=bookkeeping.LIABILITIES).aggregate(n=Sum("debit") - Sum("credit"))["n"]
    assert liabilities == 0


def test_parts_paid_at_once_never_add_up_to_more_than_the_invoice(gazd):
    bill = invoice(order())
    approve(bill.pk, day(3), "jovahagyo")
    result = _together(lambda n: bookkeeping.pay_part(bill.pk, 50_000, day(4), "33", "k"))
    bill.refresh_from_db()
    assert (bill.paid, sum(isinstance(paid, Voucher) for paid in result)) == (100_000, 2)


def test_a_reversal_undoes_a_step_once(gazd):
    bill = invoice(order())
    posting = approve(bill.pk, day(3), "jovahagyo")
    (payment,) = bookkeeping.pay([bill.pk], day(4), "32", "k")
    with pytest.raises(NotPossible, match="előbb a kifizetést"):
        bookkeeping.reverse(posting.pk, day(5), "k")
    bookkeeping.reverse(payment.pk, day(5), "k")
    with pytest.raises(NotPossible, match="már stornózták"):
        bookkeeping.reverse(payment.pk, day(5), "k")
    (payment,) = bookkeeping.pay([bill.pk], day(6), "33", "k")
    bookkeeping.reverse(payment.pk, day(7), "k")
    bookkeeping.reverse(posting.pk, day(7), "k")
    bill.refresh_from_db()
    assert (bill.state, Commitment.objects.get().invoiced) == ("rejected", 0)
    balances = Entry.objects.values_list("account").annotate(b=Sum("debit") - Sum("credit"))
    assert {balance for _, balance in balances} == {0}


def test_sending_twice_counts_once(gazd):
    token = uuid.uuid4()
    lines = [Line("11", debit=5), Line("41", credit=5)]
    years.open_year(YEAR, "k")
    bookkeeping.post("other", day(1), "x", lines, "k", token=token)
    with pytest.raises(NotPossible, match="már lekönyvelték"):
        bookkeeping.post("other", day(1), "x", lines, "k", token=token)
    assert Voucher.objects.count() == 1


def _together(work, threads=THREADS):
    """Run `work(n)` in threads at once, each with its own connection; returns results or exceptions."""
    current, barrier, result = tenancy.current(), threading.Barrier(threads), []

    def one(n):
        with tenancy.serving(current):
            try:
                connection.ensure_connection()
                barrier.wait(30)
                result.append(work(n))
            except Exception as error:
                result.append(error)
            finally:
                connection.close()

    workers = [threading.Thread(target=one, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    return result


def test_numbers_have_no_gaps_when_many_post_at_once_and_some_fail(gazd):
    years.open_year(YEAR, "k")

    def work(n):
        for i in range(5):
            credit = 5 if (n + i) % 3 else 6
            with transaction.atomic():
                voucher = Voucher.objects.create(
                    year_id=YEAR, kind="other", day=day(1), text="x", total=5, recorded_by="k"
                )
                Entry.objects.create(voucher=voucher, account_id="11", debit=5)
                Entry.objects.create(voucher=voucher, account_id="41", credit=credit)
                if credit != 5:
                    transaction.set_rollback(True)

    result = _together(work)
    assert result == [None] * THREADS
    numbers = sorted(Voucher.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= THREADS * 3
    assert sums() == (5 * len(numbers), 5 * len(numbers))


def test_many_commit_at_once_within_the_budget(gazd):
    appropriation, partner = books(500)
    result = _together(lambda n: bookkeeping.commit(appropriation, partner, str(n), day(1), 100, "k").sequence)
    assert sorted(n for n in result if isinstance(n, int)) == [1, 2, 3, 4, 5]
    assert all(isinstance(e, int | NotPossible) for e in result) and len(result) == THREADS
    assert Appropriation.objects.get().committed == 500


def test_one_invoice_is_paid_once_by_many(gazd):
    bill = invoice(order())
    approve(bill.pk, day(3), "jovahagyo")
    result = _together(lambda n: bookkeeping.pay([bill.pk], day(4), "33", "k"))
    assert sum(isinstance(paid, list) for paid in result) == 1
    assert Voucher.objects.filter(kind="payment").count() == 1


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["commit", "invoice", "approve", "reject", "pay", "part", "reverse", "release", "modify", "close", "in"]
        ),
        st.integers(0, 7),
        st.integers(1, 2_000_000),
        st.integers(0, 120),
    ),
    max_size=25,
)


def _apply(name, index, amount, when):
    def nth(model):
        models = list(model.objects.order_by("pk"))
        return models[index % len(models)] if models else None

    appropriation = Appropriation.objects.select_related("item").get()
    commitment, inv, voucher = nth(Commitment), nth(Invoice), nth(Voucher)
    if name == "commit":
        new_commitment = bookkeeping.commit(appropriation, Partner.objects.get(), "x", day(when), amount, "k")
        if index:
            bookkeeping.countersign(new_commitment.pk, "e")
    elif name == "invoice" and commitment:
        invoice(commitment, max(1, amount // 5), f"SZ-{index}")
    elif name == "approve" and inv:
        approve(inv.pk, day(when), "j")
    elif name == "reject" and inv:
        bookkeeping.reject(inv.pk, "j")
    elif name == "pay" and inv:
        bookkeeping.pay([inv.pk], day(when), "33", "k")
    elif name == "part" and inv:
        bookkeeping.pay_part(inv.pk, max(1, amount // 20), day(when), "33", "k")
    elif name == "reverse" and voucher:
        bookkeeping.reverse(voucher.pk, day(when), "k")
    elif name == "release" and commitment:
        bookkeeping.release(commitment.pk)
    elif name == "modify":
        bookkeeping.modify(appropriation.pk, amount - 1_000_000, "x", day(when), "k")
    elif name == "close":
        years.close_through(YEAR, day(when % 40), "k")
    elif name == "in":
        bookkeeping.receive(Item.objects.get(pk="B4"), amount, day(when), "33", "x", "k")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_whatever_is_done_the_books_hold(gazd, operations):
    with transaction.atomic():
        books()
        for operation in operations:
            closed = FiscalYear.objects.get().closed_through
            before = set(Voucher.objects.values_list("pk", flat=True))
            try:
                _apply(*operation)
            except NotPossible:
                continue
            new = Voucher.objects.exclude(pk__in=before)
            assert closed is None or all(v.day > closed for v in new), "nothing entered a closed period"
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        debit, credit = sums()
        assert debit == credit
        budget = Appropriation.objects.get()
        assert 0 <= budget.committed <= budget.modified
        assert budget.modified == budget.original + (budget.modifications.aggregate(n=Sum("amount"))["n"] or 0)
        assert budget.committed == sum(c.amount - c.released for c in Commitment.objects.all())
        for commitment in Commitment.objects.all():
            live = commitment.invoice_set.exclude(state="rejected").aggregate(n=Sum("gross"))["n"] or 0
            assert commitment.invoiced == live <= commitment.amount
        for inv in Invoice.objects.all():
            total = inv.payments.filter(voucher__reversal=None).aggregate(n=Sum("amount", default=0))["n"]
            assert inv.paid == total <= inv.gross
        owed = sum(inv.open_amount for inv in Invoice.objects.filter(state="approved"))
        ledger = Entry.objects.filter(account="42").aggregate(d=Sum("debit", default=0), c=Sum("credit", default=0))
        assert ledger["c"] - ledger["d"] == owed, "the ledger owes what the invoices say"
        transaction.set_rollback(True)
