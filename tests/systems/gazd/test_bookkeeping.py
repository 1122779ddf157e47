"""The books on a real database: they balance whatever is done, budgets hold, closed periods take nothing."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems import tenancy
from systems.gazd import bookkeeping, years
from systems.gazd.bookkeeping import Line, NotPossible
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


def ordered(amount=127_000, budget=1_000_000):
    """An order, countersigned."""
    appropriation, partner = books(budget)
    held = bookkeeping.commit(appropriation, partner, "papír", day(1), amount, "konyvelo")
    bookkeeping.countersign(held.pk, "ellenjegyzo")
    return held


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
    found = Entry.objects.aggregate(debit=Sum("debit", default=0), credit=Sum("credit", default=0))
    return found["debit"], found["credit"]


@pytest.fixture
def gazd(serve):
    with serve("gazd"):
        yield


def test_an_invoice_goes_from_order_to_payment(gazd):
    held = ordered()
    made = invoice(held)
    assert made.gross == 127_000
    approve(made.pk, day(3), "jovahagyo")
    (paid,) = bookkeeping.pay([made.pk], day(4), "33", "penztaros")
    made.refresh_from_db()
    assert (made.state, made.payments.get().voucher_id, paid.number) == ("paid", paid.pk, 2)
    assert sums() == (254_000, 254_000)
    assert bookkeeping.release(held.pk) == 0


def test_four_eyes_are_needed(gazd):
    made = invoice(ordered())
    for decide in (
        lambda: approve(made.pk, day(3), "konyvelo"),
        lambda: bookkeeping.reject(made.pk, "konyvelo"),
    ):
        with pytest.raises(NotPossible, match="másnak"):
            decide()
    with pytest.raises(IntegrityError, match="four_eyes"):
        Invoice.objects.filter(pk=made.pk).update(decided_by="konyvelo")


def test_no_two_incompatible_steps_have_one_signature(gazd):
    appropriation, partner = books()
    held = bookkeeping.commit(appropriation, partner, "papír", day(1), 127_000, "rendelo")
    with pytest.raises(NotPossible, match="még nincs ellenjegyezve"):
        invoice(held)
    with pytest.raises(NotPossible, match="vállalta, nem ellenjegyezheti"):
        bookkeeping.countersign(held.pk, "rendelo")
    bookkeeping.countersign(held.pk, "ellenjegyzo")
    with pytest.raises(NotPossible, match="már ellenjegyezték"):
        bookkeeping.countersign(held.pk, "masik")
    made = invoice(held)
    with pytest.raises(NotPossible, match="előbb érvényesíteni"):
        bookkeeping.approve(made.pk, day(3), "jovahagyo")
    with pytest.raises(NotPossible, match="vállalta, nem érvényesítheti"):
        bookkeeping.validate(made.pk, "rendelo")
    bookkeeping.validate(made.pk, "ervenyesito")
    with pytest.raises(NotPossible, match="már érvényesítették"):
        bookkeeping.validate(made.pk, "masik")
    with pytest.raises(NotPossible, match="érvényesítette, nem utalványozhatja"):
        bookkeeping.approve(made.pk, day(3), "ervenyesito")
    with pytest.raises(IntegrityError, match="countersigned_by_another"):
        Commitment.objects.update(countersigned_by="rendelo")
    bookkeeping.approve(made.pk, day(3), "jovahagyo")
    with pytest.raises(IntegrityError, match="validated_by_another"):
        Invoice.objects.update(validated_by="jovahagyo")
    made.refresh_from_db()
    assert (held.recorded_by, made.recorded_by, made.validated_by, made.decided_by) == (
        "rendelo", "konyvelo", "ervenyesito", "jovahagyo",
    )  # fmt: skip


def test_the_same_number_of_one_partner_comes_once_unless_it_was_sent_back(gazd):
    held = ordered(600_000)
    first = invoice(held)
    with pytest.raises(NotPossible, match="már rögzítve"):
        invoice(held)
    assert Commitment.objects.get().invoiced == 127_000, "the refused one took nothing"
    bookkeeping.reject(first.pk, "jovahagyo")
    assert Commitment.objects.get().invoiced == 0
    invoice(held)


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


def test_an_invoice_stays_within_its_commitment(gazd):
    held = ordered(126_999)
    with pytest.raises(NotPossible, match="126\xa0999 Ft maradt"):
        invoice(held)


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
            made = Voucher.objects.create(
                year_id=YEAR, kind="other", day=day(1), text="x", total=total, recorded_by="k"
            )
            for debit, credit in sides:
                Entry.objects.create(voucher=made, account_id="11", debit=debit, credit=credit)
        return made

    for total, sides in [(5, [(5, 0)]), (5, [(5, 0), (0, 4)]), (5, []), (6, [(5, 0), (0, 5)])]:
        with pytest.raises(IntegrityError, match="does not balance"):
            raw(total, *sides)
    made = raw(5, (5, 0), (0, 5))
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        Entry.objects.create(voucher=made, account_id="11", debit=7)
        Entry.objects.create(voucher=made, account_id="11", credit=7)
    assert Voucher.objects.get().number == 1, "what was refused left no gap"


def test_a_closed_period_takes_nothing_and_stays_closed(gazd):
    made = invoice(ordered())
    years.close_through(YEAR, day(30), "k")
    with pytest.raises(NotPossible, match="lezárt"):
        approve(made.pk, day(30), "jovahagyo")
    with pytest.raises(NotPossible, match="már le van zárva"):
        years.close_through(YEAR, day(29), "k")
    with pytest.raises(IntegrityError, match="do not go back"):
        FiscalYear.objects.update(closed_through=None)
    approve(made.pk, day(31), "jovahagyo")
    with pytest.raises(NotPossible, match="nincs megnyitva"):
        bookkeeping.post("other", dt.date(2031, 1, 1), "x", [Line("11", debit=5), Line("41", credit=5)], "k")


def test_an_invoice_is_paid_in_parts_and_never_more_than_is_left(gazd):
    made = invoice(ordered())
    posted = approve(made.pk, day(3), "jovahagyo")
    first = bookkeeping.pay_part(made.pk, 100_000, day(4), "33", "k")
    made.refresh_from_db()
    assert (made.state, made.paid, made.left) == ("approved", 100_000, 27_000)
    for amount in (27_001, 0, -1):
        with pytest.raises(NotPossible, match="27.000 Ft van hátra"):
            bookkeeping.pay_part(made.pk, amount, day(5), "33", "k")
    with pytest.raises(NotPossible, match="előbb a kifizetést"):
        bookkeeping.reverse(posted.pk, day(5), "k")
    bookkeeping.pay([made.pk], day(5), "32", "k")
    made.refresh_from_db()
    assert (made.state, made.left, made.payments.count()) == ("paid", 0, 2)
    bookkeeping.reverse(first.pk, day(6), "k")
    made.refresh_from_db()
    assert (made.state, made.paid) == ("approved", 27_000)
    bookkeeping.pay_part(made.pk, 100_000, day(7), "33", "k")
    made.refresh_from_db()
    assert made.state == "paid"
    liabilities = Entry.objects.filter(account=bookkeeping.LIABILITIES).aggregate(n=Sum("debit") - Sum("credit"))["n"]
    assert liabilities == 0


def test_parts_paid_at_once_never_add_up_to_more_than_the_invoice(gazd):
    made = invoice(ordered())
    approve(made.pk, day(3), "jovahagyo")
    found = _together(lambda n: bookkeeping.pay_part(made.pk, 50_000, day(4), "33", "k"))
    made.refresh_from_db()
    assert (made.paid, sum(isinstance(paid, Voucher) for paid in found)) == (100_000, 2)


def test_a_reversal_undoes_a_step_once(gazd):
    made = invoice(ordered())
    posted = approve(made.pk, day(3), "jovahagyo")
    (paid,) = bookkeeping.pay([made.pk], day(4), "32", "k")
    with pytest.raises(NotPossible, match="előbb a kifizetést"):
        bookkeeping.reverse(posted.pk, day(5), "k")
    bookkeeping.reverse(paid.pk, day(5), "k")
    with pytest.raises(NotPossible, match="már stornózták"):
        bookkeeping.reverse(paid.pk, day(5), "k")
    (paid,) = bookkeeping.pay([made.pk], day(6), "33", "k")
    bookkeeping.reverse(paid.pk, day(7), "k")
    bookkeeping.reverse(posted.pk, day(7), "k")
    made.refresh_from_db()
    assert (made.state, Commitment.objects.get().invoiced) == ("rejected", 0)
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
    """Run `work(n)` in threads at once, each with its own connection; what they returned or raised."""
    current, barrier, found = tenancy.current(), threading.Barrier(threads), []

    def one(n):
        with tenancy.serving(current):
            try:
                connection.ensure_connection()
                barrier.wait(30)
                found.append(work(n))
            except Exception as error:
                found.append(error)
            finally:
                connection.close()

    workers = [threading.Thread(target=one, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    return found


def test_numbers_have_no_gaps_when_many_post_at_once_and_some_fail(gazd):
    years.open_year(YEAR, "k")

    def work(n):
        for i in range(5):
            credit = 5 if (n + i) % 3 else 6
            with transaction.atomic():
                made = Voucher.objects.create(
                    year_id=YEAR, kind="other", day=day(1), text="x", total=5, recorded_by="k"
                )
                Entry.objects.create(voucher=made, account_id="11", debit=5)
                Entry.objects.create(voucher=made, account_id="41", credit=credit)
                if credit != 5:
                    transaction.set_rollback(True)

    found = _together(work)
    assert found == [None] * THREADS
    numbers = sorted(Voucher.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= THREADS * 3
    assert sums() == (5 * len(numbers), 5 * len(numbers))


def test_many_commit_at_once_within_the_budget(gazd):
    appropriation, partner = books(500)
    found = _together(lambda n: bookkeeping.commit(appropriation, partner, str(n), day(1), 100, "k").sequence)
    assert sorted(n for n in found if isinstance(n, int)) == [1, 2, 3, 4, 5]
    assert all(isinstance(e, int | NotPossible) for e in found) and len(found) == THREADS
    assert Appropriation.objects.get().committed == 500


def test_one_invoice_is_paid_once_by_many(gazd):
    made = invoice(ordered())
    approve(made.pk, day(3), "jovahagyo")
    found = _together(lambda n: bookkeeping.pay([made.pk], day(4), "33", "k"))
    assert sum(isinstance(paid, list) for paid in found) == 1
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


def _apply(name, which, amount, when):
    def nth(model):
        found = list(model.objects.order_by("pk"))
        return found[which % len(found)] if found else None

    appropriation = Appropriation.objects.select_related("item").get()
    held, inv, voucher = nth(Commitment), nth(Invoice), nth(Voucher)
    if name == "commit":
        made = bookkeeping.commit(appropriation, Partner.objects.get(), "x", day(when), amount, "k")
        if which:
            bookkeeping.countersign(made.pk, "e")
    elif name == "invoice" and held:
        invoice(held, max(1, amount // 5), f"SZ-{which}")
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
    elif name == "release" and held:
        bookkeeping.release(held.pk)
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
        for held in Commitment.objects.all():
            live = held.invoice_set.exclude(state="rejected").aggregate(n=Sum("gross"))["n"] or 0
            assert held.invoiced == live <= held.amount
        for inv in Invoice.objects.all():
            standing = inv.payments.filter(voucher__reversal=None).aggregate(n=Sum("amount", default=0))["n"]
            assert inv.paid == standing <= inv.gross
        owed = sum(inv.left for inv in Invoice.objects.filter(state="approved"))
        ledger = Entry.objects.filter(account="42").aggregate(d=Sum("debit", default=0), c=Sum("credit", default=0))
        assert ledger["c"] - ledger["d"] == owed, "the ledger owes what the invoices say"
        transaction.set_rollback(True)
