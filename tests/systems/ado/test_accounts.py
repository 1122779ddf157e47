"""Accounts by tax on a real database: every operation adds rows, and every calculation agrees to the forint."""

import datetime as dt
import importlib
import re
import threading
from collections import Counter
from functools import partial
from unittest import mock

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems.ado import assessing, extracting, payments, statements
from systems.ado.models import (
    Assessment,
    Instalment,
    InterestRate,
    Payment,
    PaymentPart,
    Return,
    StatementLine,
    Tax,
    Taxpayer,
)
from systems.ado.models import balances as all_balances
from systems.core import pdf
from systems.core.errors import NotPossible
from systems.keret.models import Activity
from systems.shared import workdays
from tests.systems.ado.test_tax import FIRM

PERSON = "8472765075"
TODAY = timezone.localdate()
TAXES = ("epitmeny", "hipa", "telek")


@pytest.fixture
def clerk(browse):
    return browse("ado", "ugyintezo")


@pytest.fixture
def firm(serve):
    with serve("ado"):
        return Taxpayer.objects.create(identifier=FIRM, name="Próba Kft.", address="Sajószentpéter")


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode()).replace("\u00a0", " ")


def tax_return(base, year=2023, tax="hipa", identifier=FIRM):
    return Return.objects.create(
        tax_id=tax, identifier=identifier, name="Próba Kft.", address="Sajószentpéter", year=year, base=base
    )


def owe(taxpayer, tax, **parts):
    """An assessment with instalments: `d2024_03_18=1000`."""
    assessment = Assessment.objects.create(
        taxpayer=taxpayer, tax_id=tax, year=2024, base=1, per_mille=1, amount=sum(parts.values()), made_by="Próba"
    )
    for day, amount in parts.items():
        Instalment.objects.create(assessment=assessment, due=dt.date(*map(int, day[1:].split("_"))), amount=amount)
    return assessment


def pay(taxpayer, amount, day=TODAY, reference="B-1", tax=None):
    payment = Payment(taxpayer=taxpayer, day=day, amount=amount, reference=reference, recorded_by="Próba")
    payments.receive([payment], Tax.objects.get(pk=tax) if tax else None)
    return payment


def parts_by_tax(payment):
    return dict(payment.parts.values_list("tax", "amount"))


def test_a_payment_settles_the_oldest_debts_whatever_their_tax(serve, firm):
    with serve("ado"):
        owe(firm, "hipa", d2025_06_02=1000)
        owe(firm, "epitmeny", d2025_03_17=300, d2025_09_15=300)
        owe(firm, "telek", d2025_06_02=50)
        on_the_day = dt.date(2025, 3, 17)
        assert parts_by_tax(pay(firm, 200, on_the_day, "B-1")) == {"epitmeny": 200}
        assert parts_by_tax(pay(firm, 600, on_the_day, "B-2")) == {"epitmeny": 100, "hipa": 500}, "ahead of its day too"
        rest = pay(firm, 900, dt.date(2025, 6, 2), "B-3")
        assert parts_by_tax(rest) == {"epitmeny": 350, "hipa": 500, "telek": 50}, (
            "50 too much: for the tax that is due last"
        )


def test_a_tax_that_the_clerk_chose_is_the_one_that_is_paid(clerk, serve, firm):
    with serve("ado"):
        owe(firm, "hipa", d2025_06_02=1000)
        owe(firm, "telek", d2025_09_15=1000)
    form = {"day": "2025-09-15", "amount": "700", "reference": "B-1", "tax": "telek"}
    assert clerk.post(f"/ado/adozok/{firm.pk}/befizetes", form).status_code == 302
    with serve("ado"):
        assert parts_by_tax(Payment.objects.get()) == {"telek": 700}
        assert {tax: b.owed - b.interest for tax, b in firm.balances().items()} == {"hipa": 1000, "telek": 300}
    page = text_of(clerk.get(f"/ado/adozok/{firm.pk}/"))
    assert "Adónemenként" in page and "Telekadó" in page


def test_who_pays_what_the_page_says_owes_nothing_in_any_tax(serve, firm):
    with serve("ado"):
        owe(firm, "hipa", d2024_06_03=777_777)
        owe(firm, "epitmeny", d2024_03_18=555_555, d2099_03_16=1)
        owed = firm.balance().owed
        assert firm.balance().interest > 0
        pay(firm, owed)
        assert {tax: balance.owed for tax, balance in firm.balances().items()} == {"hipa": 0, "epitmeny": 0}


def test_money_before_any_assessment_is_the_business_taxs(serve, firm):
    with serve("ado"):
        assert parts_by_tax(pay(firm, 500)) == {"hipa": 500}


def test_the_citizen_sees_each_tax_of_theirs(serve, firm):
    with serve("ado"):
        other = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
        owe(other, "epitmeny", d2025_06_02=77)
        owe(firm, "hipa", d2025_06_02=1000)
        owe(firm, "telek", d2099_09_15=1000)
        pay(firm, 1100, dt.date(2025, 6, 2))
    with serve("elugy"), connection.cursor() as cursor:
        balances = "SELECT tax, due, paid, interest, balance FROM ado.balance_of(%s) ORDER BY tax"
        cursor.execute(balances, [firm.identifier])  # theirs, and nobody else's
        assert cursor.fetchall() == [("Helyi iparűzési adó", 1000, 1000, 0, 0), ("Telekadó", 0, 100, 0, -100)]


def test_rows_of_an_account_never_change_and_parts_sum_up(serve, firm, node):
    with serve("ado"):
        owe(firm, "hipa", d2025_06_02=1000)
        pay(firm, 700)
        for table in ("assessment", "instalment", "payment", "payment_part"):
            for sql in (f"UPDATE {table} SET amount = amount + 1", f"DELETE FROM {table}"):
                with pytest.raises(DatabaseError, match="never change"), connection.cursor() as cursor:
                    cursor.execute(sql)
        with pytest.raises(DatabaseError, match="do not sum up"):
            PaymentPart.objects.create(payment=Payment.objects.get(), tax_id="telek", amount=1)
        with pytest.raises(DatabaseError, match="do not sum up"):
            Payment.objects.create(taxpayer=firm, day=TODAY, amount=1, reference="B-2", recorded_by="x")
        assert firm.balance().paid == 700


def test_earlier_payments_are_parted_the_oldest_instalment_first(serve, firm, node):
    parts = importlib.import_module("systems.ado.migrations.0005_accounts").PARTS
    with serve("ado"):
        person = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
        owe(firm, "hipa", d2024_05_31=100)
        owe(firm, "epitmeny", d2024_03_18=50, d2024_09_16=50)
    with node.superuser("t16054") as session:
        session.execute("SET session_replication_role = replica; SET search_path TO ado")
        for who, day, amount in ((firm, "2024-04-01", 70), (firm, "2024-06-01", 90), (firm, "2024-10-01", 60),
                                 (person, "2024-10-01", 5)):  # fmt: skip
            session.execute(
                "INSERT INTO payment (taxpayer_id, day, amount, reference, round, reason, recorded_at, recorded_by)"
                " VALUES (%s, %s, %s, %s, 0, '', now(), 'x')",
                [who.pk, day, amount, f"B-{amount}"],
            )
        session.execute(parts)
    with serve("ado"):
        result = [parts_by_tax(payment) for payment in Payment.objects.order_by("taxpayer", "day")]
    assert result == [
        {"epitmeny": 50, "hipa": 20},
        {"hipa": 80, "epitmeny": 10},
        {"epitmeny": 60},  # 40 of the last instalment and 20 more than was owed
        {"hipa": 5},
    ]


def at_once(serve, *deeds):
    """Results or errors of operations that began at the same moment."""
    begin, message = threading.Barrier(len(deeds)), []

    def run(deed):
        with serve("ado"):
            try:
                begin.wait(30)
                message.append(deed())
            except NotPossible as fault:
                message.append(str(fault))
            finally:
                connections.close_all()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return message


@pytest.mark.parametrize("is_known", [True, False])
def test_two_returns_of_a_year_accepted_at_once_make_one_assessment(serve, firm, is_known):
    with serve("ado"):
        if not is_known:
            Taxpayer.objects.all().delete()
        pks = [tax_return(base).pk for base in (1_000_000, 2_000_000)]
    outcomes = at_once(serve, *[partial(assessing.accept, pk, "Próba") for pk in pks])
    assert sum("már ki van vetve" in str(each) for each in outcomes) == 1, outcomes
    with serve("ado"):
        assert Assessment.objects.count() == 1
        assert Return.objects.filter(state=Return.State.OPEN).count() == 1


def test_two_clerks_record_one_payment_at_the_same_moment(serve, firm):
    with serve("ado"):
        other = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
    for reference, payers in (("B-1", (firm, firm)), ("B-2", (firm, other))):
        deeds = [partial(pay, payer, 100, reference=reference) for payer in payers]
        outcomes = at_once(serve, *deeds)
        assert sum("hivatkozás" in str(each) for each in outcomes) == 1, outcomes
    with serve("ado"):
        assert Payment.objects.count() == 2


def test_a_payment_that_comes_between_look_and_booking_is_not_taken_for_a_reversed_one(serve, firm):
    with serve("ado"):
        other = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
    outcomes = []

    def other_clerk_first(rows):
        if not outcomes:
            outcomes.append("begun")
            outcomes.extend(at_once(serve, partial(pay, other, 100, reference="B-3")))
        return Counter(rows)

    with mock.patch.object(payments, "Counter", other_clerk_first), serve("ado"):
        with pytest.raises(NotPossible, match="Ezzel a hivatkozással most más is rögzít"):
            pay(firm, 100, reference="B-3")
        assert [payment.taxpayer for payment in Payment.objects.all()] == [other]


def test_a_taxpayer_that_came_in_by_another_window_is_told(clerk, serve, firm):
    form = {"identifier": FIRM, "name": "X", "address": "Y"}
    with (
        mock.patch("django.forms.ModelForm.validate_unique"),
        mock.patch("django.db.models.Model.validate_constraints"),
    ):
        page = clerk.post("/ado/adozok/uj", form)
    assert (page.status_code, "Ezzel az adóazonosítóval már van adózó" in text_of(page)) == (422, True)


@pytest.mark.parametrize(
    ("base", "parts"),
    [
        (60_000, (1000, 200)),
        (10_000, (200, 0)),
        (50_000, (1000, 0)),
        (0, (0, 0)),
    ],
)
def test_a_self_revision_adds_the_difference_and_keeps_what_was(clerk, serve, firm, base, parts):
    with serve("ado"):
        first = assessing.accept(tax_return(50_000).pk, "Próba")
        revision = tax_return(base)
    page = text_of(clerk.get(f"/ado/bevallasok/{revision.pk}/"))
    assert "Már kivetett adó" in page and "Elfogadás önellenőrzésként" in page
    assert "akként fogadja el" in text_of(clerk.post(f"/ado/bevallasok/{revision.pk}/elfogadas", follow=True))
    clerk.post(f"/ado/bevallasok/{revision.pk}/elfogadas", {"onellenorzes": ""})
    with serve("ado"):
        assessment = Assessment.objects.get(replaces=first)
        assert (assessment.kind, assessment.amount, assessment.per_mille) == ("önellenőrzés", base // 50, 20)
        due = Instalment.objects.filter(assessment__taxpayer=firm)
        days = dt.date(2024, 5, 31), workdays.after(TODAY, 0)
        assert tuple(sum(part.amount for part in due if part.due == day) for day in days) == parts
        assert firm.balance(TODAY + dt.timedelta(days=10)).due == assessment.amount
        first.refresh_from_db()
        assert first.amount == 1000
    page = text_of(clerk.get(f"/ado/adozok/{firm.pk}/"))
    assert "önellenőrzés, Minta Ilona" in page and "helyesbítve" in page


def test_less_tax_bears_no_interest_for_the_time_before(serve, firm):
    with serve("ado"):
        first = assessing.accept(tax_return(50_000).pk, "Próba")
        assert firm.balance().interest > 0
        assessing.correct(first.pk, 0, "téves alap", "Próba")
        assert firm.balance().owed == 0


def parts_of(assessment):
    return {part.due: part.amount for part in assessment.instalments.all()}


FIRST, SECOND, THIRD = (TODAY + dt.timedelta(days=days) for days in (-400, -100, 400))


def in_instalments(taxpayer, *days):
    """A tax of 1 ‰ on a base of 100 000 Ft for each of the days."""
    assessment = Assessment.objects.create(
        taxpayer=taxpayer, tax_id="telek", year=2024, base=100_000 * len(days), per_mille=1,
        amount=100 * len(days), made_by="Próba",
    )  # fmt: skip
    Instalment.objects.bulk_create(Instalment(assessment=assessment, due=day, amount=100) for day in days)
    return assessment


def test_more_tax_is_not_due_before_the_tax_itself(serve, firm):
    with serve("ado"):
        later = in_instalments(firm, SECOND, THIRD)
        more = assessing.correct(later.pk, 250_000, "ellenőrzés", "Próba")
        assert parts_of(more) == {THIRD: 50}, "the last instalment is still to come"
        Tax.objects.filter(pk="telek").update(notice_days=500)
        last = assessing.correct(more.pk, 260_000, "ellenőrzés", "Próba")
        (due,) = parts_of(last)
        assert due > THIRD and parts_of(last) == {due: 10}, "the office's own claim comes later still"


@pytest.mark.parametrize(
    ("base", "cuts"),
    [
        (250_000, {THIRD: -50}),
        (200_000, {THIRD: -100}),
        (150_000, {THIRD: -100, SECOND: -50}),
        (0, {THIRD: -100, SECOND: -100, FIRST: -100}),
    ],
)
def test_less_tax_is_taken_from_the_last_due_days(serve, firm, base, cuts):
    with serve("ado"):
        less = assessing.correct(in_instalments(firm, FIRST, SECOND, THIRD).pk, base, "téves alap", "Próba")
        assert parts_of(less) == cuts


def test_a_refund_is_bounded_by_what_is_overpaid_on_its_day_and_today(serve, firm):
    with serve("ado"):
        owe(firm, "hipa", **{f"d{FIRST:%Y_%m_%d}": 1000, f"d{SECOND:%Y_%m_%d}": 600})
        pay(firm, 2000, FIRST, tax="hipa")
        then, tax = FIRST + dt.timedelta(days=1), Tax.objects.get(pk="hipa")

        def give_back(amount, day, reference):
            payment = Payment(
                taxpayer=firm, day=day, amount=amount, reference=reference, reason="kérelem", recorded_by="Próba"
            )
            payments.refund(payment, tax)

        with pytest.raises(NotPossible, match="Legfeljebb 400 Ft"):
            give_back(1000, then, "V-1")  # overpaid then; since, 600 more fell due
        with pytest.raises(NotPossible, match="Legfeljebb 0 Ft"):
            give_back(400, FIRST - dt.timedelta(days=1), "V-2")  # overpaid today; then, nothing was paid yet
        give_back(400, then, "V-3")
        assert firm.balance().owed == 0


def test_a_new_rate_holds_from_its_first_day_for_the_citizen_too(serve, firm):
    with serve("ado"):
        owe(firm, "hipa", **{f"d{TODAY - dt.timedelta(days=2):%Y_%m_%d}": 365_000})
        InterestRate.objects.create(since=TODAY, basis_points=2000, source="Próba")
        assert firm.balance().interest == 296, "yesterday at 0.027 %, today at 0.054 %: 98.55 and 197.1 Ft"
        with connection.cursor() as cursor:
            cursor.execute("SELECT interest FROM citizen_balance WHERE identifier = %s AND interest > 0", [FIRM])
            assert cursor.fetchall() == [(296,)]


@pytest.mark.parametrize(("days", "past"), [(-1, True), (0, True), (1, False)])
def test_what_falls_due_today_is_in_todays_balance_everywhere(serve, firm, days, past):
    due = TODAY + dt.timedelta(days=days)
    with serve("ado"):
        owe(firm, "hipa", **{f"d{due:%Y_%m_%d}": 500})
        until, later = extracting.lines(firm, TODAY)
        assert ([line.owed for line in until], [line.owed for line in later]) == (([500], []) if past else ([], [500]))
        assert firm.balance().due == 500 * past
        with connection.cursor() as cursor:
            cursor.execute("SELECT due FROM citizen_balance WHERE identifier = %s", [FIRM])
            assert cursor.fetchall() == [(500 * past,)]


def test_the_citizens_interest_is_cut_off_as_the_accounts_and_a_credit_bears_none(serve, firm):
    with serve("ado"):
        InterestRate.objects.update(basis_points=1250)  # 0.03424… % a day, of which 0.034 count
        owe(firm, "hipa", **{f"d{TODAY - dt.timedelta(days=10):%Y_%m_%d}": 1_000_000})
        pay(firm, 500_000, TODAY - dt.timedelta(days=20), tax="telek")
        assert {tax: balance.interest for tax, balance in firm.balances().items()} == {"hipa": 3400, "telek": 0}
        with connection.cursor() as cursor:
            cursor.execute("SELECT tax, interest FROM citizen_balance WHERE identifier = %s ORDER BY tax", [FIRM])
            assert cursor.fetchall() == [("Helyi iparűzési adó", 3400), ("Telekadó", 0)]


def test_a_year_keeps_the_rate_at_which_it_was_assessed(serve, firm):
    with serve("ado"):
        first = assessing.accept(tax_return(50_000).pk, "Próba")
        Tax.objects.update(per_mille=10)
        revised = assessing.accept(tax_return(100_000).pk, "Próba", correction=True)
        assert (first.per_mille, revised.per_mille, revised.amount) == (20, 20, 2000)


def test_a_correction_by_the_office_is_due_after_its_decision(clerk, serve, firm):
    with serve("ado"):
        first = assessing.accept(tax_return(50_000).pk, "Próba")
    path = f"/ado/kivetesek/{first.pk}/helyesbites"
    assert "Most az adóalap 50 000 Ft" in text_of(clerk.get(path))
    assert clerk.post(path, {"base": "60 000", "reason": ""}).status_code == 422
    assert "nincs mit helyesbíteni" in text_of(clerk.post(path, {"base": "50 000", "reason": "ellenőrzés"}))
    assert clerk.post(path, {"base": "60 000", "reason": "ellenőrzés"}).status_code == 302
    repeat = clerk.post(path, {"base": "70 000", "reason": "ellenőrzés"})
    assert (repeat.status_code, "már helyesbítették" in text_of(repeat)) == (422, True)
    with serve("ado"):
        assessment = Assessment.objects.get(replaces=first)
        (part,) = assessment.instalments.all()
        assert part.amount == 200 and part.due == assessing.first_claim_day(
            assessment.tax, TODAY
        ) >= TODAY + dt.timedelta(days=15)
        assert assessing.correct(assessment.pk, 55_000, "fellebbezés", "Próba").kind == "helyesbítés"
        assert firm.balance(dt.date(2099, 1, 1)).due == 1100
    page = text_of(clerk.get(f"/ado/adozok/{firm.pk}/"))
    assert "helyesbítés, Minta Ilona" in page and "ellenőrzés" in page and page.count("helyesbítve</span>") == 2


def test_a_reversed_payment_never_was_and_may_be_recorded_again(clerk, serve, deliver, firm):
    with serve("ado"):
        owe(firm, "hipa", d2024_06_03=100_000)
        before = firm.balance()
        payment = pay(firm, 90_000, dt.date(2024, 6, 3))
    path = f"/ado/befizetesek/{payment.pk}/storno"
    assert "Befizetés: B-1, 90 000 Ft" in text_of(clerk.get(path))
    assert clerk.post(path, {"reason": ""}).status_code == 422
    assert clerk.post(path, {"reason": "téves adózó"}).status_code == 302
    with serve("ado"):
        assert firm.balance() == before
        counter = Payment.objects.get(reverses=payment)
        assert (counter.amount, counter.day, parts_by_tax(counter)) == (-90_000, payment.day, {"hipa": -90_000})
    assert "már stornózták" in text_of(clerk.post(path, {"reason": "még egyszer"}))
    assert "Stornót nem lehet" in text_of(clerk.post(f"/ado/befizetesek/{counter.pk}/storno", {"reason": "vissza"}))
    page = text_of(clerk.get(f"/ado/adozok/{firm.pk}/"))
    assert "storno: téves adózó" in page and "/storno" not in page
    form = {"day": "2024-06-03", "amount": "80 000", "reference": "B-1"}
    assert clerk.post(f"/ado/adozok/{firm.pk}/befizetes", form).status_code == 302
    refusal = clerk.post(f"/ado/adozok/{firm.pk}/befizetes", form)
    assert refusal.status_code == 422 and "B-1 hivatkozású befizetést már rögzítették" in text_of(refusal)
    with serve("ado"):
        assert firm.balance().paid == 80_000
    deliver()
    with serve("keret"):
        activities = list(Activity.objects.filter(system="ado").order_by("at").values_list("action", "subject"))
    assert activities == [("tétel stornózása", "B-1"), ("befizetés rögzítése", "B-1")]


def test_a_reversed_transfer_is_unclear_again_and_can_be_booked_for_whom_it_is(clerk, serve, firm):
    with serve("ado"):
        person = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
        text = f"{';'.join(statements.COLUMNS)}\n2026-03-16;12 000;B-1;x;adó {FIRM}"
        statement = statements.take(text.encode(), "kivonat.csv", "Próba")
        statements.book(statement.pk, "Próba")
        payments.reverse(Payment.objects.get().pk, "más helyett", "Próba")
        line = StatementLine.unclear().get()
        assert (line.taxpayer, line.payment) == (None, None), "nobody's, until somebody says whose"
    data = {"identifier": PERSON, "tax": "telek"}
    assert clerk.post(f"/ado/tisztazatlan/{line.pk}/hozzarendeles", data).status_code == 302
    with serve("ado"):
        assert (firm.balance().paid, {t: b.paid for t, b in person.balances().items()}) == (0, {"telek": 12_000})
        assert not StatementLine.unclear().exists()
        second_statement = statements.take(f"{text}\n".encode(), "megint.csv", "Próba")
        assert second_statement.lines.get().verdict == StatementLine.Verdict.REPEATED


def test_only_what_is_overpaid_goes_back_and_no_more_than_is_owed_nowhere_else(clerk, serve, firm):
    with serve("ado"):
        owe(firm, "hipa", d2024_06_03=1000)
        owe(firm, "telek", d2024_09_16=400)
        pay(firm, 3000, dt.date(2024, 6, 3), tax="hipa")
        free = -firm.balance().owed
        assert 1000 < free < 1600, "the land tax and its interest are still owed"
    path = f"/ado/adozok/{firm.pk}/visszaterites"
    form = {"tax": "hipa", "day": TODAY.isoformat(), "reference": "V-1", "reason": "kérelem"}
    for changes, cause in (
        ({"amount": str(free + 1)}, f"Legfeljebb {free // 1000} {free % 1000:03d} Ft téríthető vissza"),
        ({"amount": str(free), "tax": "telek"}, "Legfeljebb 0 Ft téríthető vissza"),
        ({"amount": str(free), "tax": "epitmeny"}, "Legfeljebb 0 Ft téríthető vissza"),
        ({"amount": str(free), "day": "2024-06-02"}, "Legfeljebb 0 Ft téríthető vissza"),
        ({"amount": str(free), "reference": "B-1"}, "B-1 hivatkozás már szerepel"),
        ({"amount": "0"}, "nagyobb nullánál"),
        ({"amount": str(free), "reason": ""}, "ki kell tölteni: indok"),
    ):
        refusal = clerk.post(path, form | changes)
        assert (refusal.status_code, cause in text_of(refusal)) == (422, True), (cause, text_of(refusal))
    assert clerk.post(path, form | {"amount": str(free)}).status_code == 302
    assert clerk.post(path, form | {"amount": str(free)}).status_code == 422
    with serve("ado"):
        assert firm.balance().owed == 0
        assert Payment.objects.get(amount__lt=0).kind == "visszatérítés"
    assert "visszatérítés: kérelem" in text_of(clerk.get(f"/ado/adozok/{firm.pk}/"))


def test_a_reader_undoes_nothing(browse, serve, firm):
    with serve("ado"):
        assessment, payment = owe(firm, "hipa", d2024_06_03=1000), pay(firm, 1)
    reader = browse("ado", "olvaso")
    page = text_of(reader.get(f"/ado/adozok/{firm.pk}/"))
    assert "Kivetések" in page and "Helyesbítés" not in page and "Stornózás" not in page
    for path in (
        f"kivetesek/{assessment.pk}/helyesbites",
        f"befizetesek/{payment.pk}/storno",
        f"adozok/{firm.pk}/visszaterites",
    ):
        assert reader.post(f"/ado/{path}", {"reason": "x", "base": "1"}).status_code == 403


def words(taxpayer):
    """The extract's texts, in order."""
    texts, real = [], pdf.to_text

    def listen(value):
        texts.append(real(value).replace("\u00a0", " "))
        return texts[-1]

    with mock.patch.object(pdf, "to_text", listen):
        assert extracting.pdf(taxpayer).content().startswith(b"%PDF-")
    return texts


def test_the_extract_says_every_entry_its_interest_and_the_balance(serve, firm):
    with serve("ado"):
        assessment = owe(firm, "hipa", d2024_06_03=1_000_000)
        owe(firm, "telek", d2024_09_16=500, d2099_09_15=700)
        payment = pay(firm, 400_000, dt.date(2024, 7, 1), tax="hipa")
        payments.reverse(payment.pk, "téves adózó", "Próba")
        assessing.correct(assessment.pk, 0, "törölve", "Próba")
        pay(firm, 200, dt.date(2024, 7, 1), "B-2", tax="telek")
        balances = firm.balances()
        texts = words(firm)
    assert "Adószámla-kivonat" in texts and f"Próba Kft., {FIRM}" in texts
    later = texts.index("Még nem esedékes")
    interest = balances["telek"].interest
    assert interest > 0
    assert [texts[n - 1 : n + 3] for n, text in enumerate(texts[:later]) if ": " in text] == [
        ["2024. 06. 03.", "kivetés: Helyi iparűzési adó, 2024. év", "1 000 000", ""],
        ["2024. 06. 03.", "helyesbítés: Helyi iparűzési adó, 2024. év", "-1 000 000", ""],
        ["2024. 07. 01.", "befizetés (B-1): Helyi iparűzési adó", "", "400 000"],
        ["2024. 07. 01.", "storno (B-1): Helyi iparűzési adó, téves adózó", "", "-400 000"],
        ["2024. 07. 01.", "befizetés (B-2): Telekadó", "", "200"],
        ["2024. 09. 16.", "kivetés: Telekadó, 2024. év", "500", ""],
        [TODAY.strftime("%Y. %m. %d."), "késedelmi pótlék: Telekadó", str(interest), ""],
    ]
    assert texts[texts.index("Egyenleg (Ft)") + 1] == str(300 + interest)
    assert texts[later + 1 : later + 4] == ["2099. 09. 15.", "kivetés: Telekadó, 2024. év", "700"]


DEED = st.tuples(
    st.sampled_from(["assess", "correct", "pay", "pay-tax", "reverse", "refund"]),
    st.integers(0, 5),  # which tax, which earlier row
    st.integers(0, 300_000),
    st.integers(0, 900),  # days ago
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(DEED, min_size=1, max_size=12))
def test_any_sequence_of_deeds_keeps_the_account_to_the_forint(serve, deeds):
    with serve("ado"), transaction.atomic():
        taxpayer = Taxpayer.objects.create(identifier=FIRM, name="Próba Kft.", address="Sajószentpéter")
        other = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
        owe(other, "telek", d2024_09_16=12_345)
        for number, (deed, index, amount, ago) in enumerate(deeds):
            try:
                do(taxpayer, deed, index, amount, TODAY - dt.timedelta(days=ago), f"R-{number}")
            except NotPossible:
                continue  # nothing was written
            finally:
                _check_account(taxpayer)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        result = all_balances()
        for who in (taxpayer, other):
            assert result.get(who.pk, {}) == who.balances(), "one by one and all at once"
        transaction.set_rollback(True)


def do(taxpayer, deed, index, amount, day, reference):
    tax = TAXES[index % len(TAXES)]
    earlier = list(taxpayer.payments.order_by("pk"))
    current = list(taxpayer.assessments.filter(replaced_by=None).order_by("pk"))
    if deed == "assess":
        assessing.accept(tax_return(amount, 2022 + index % 3, tax).pk, "Próba")
    elif deed == "correct" and current:
        assessing.correct(current[index % len(current)].pk, amount, "helyes alap", "Próba")
    elif deed in ("pay", "pay-tax"):
        pay(taxpayer, amount // 10 + 1, day, reference, tax if deed == "pay-tax" else None)
    elif deed == "reverse" and earlier:
        payments.reverse(earlier[index % len(earlier)].pk, "téves", "Próba")
    elif deed == "refund":
        payment = Payment(
            taxpayer=taxpayer, day=day, amount=amount // 20 + 1, reference=reference, reason="kérelem", recorded_by="x"
        )
        payments.refund(payment, Tax.objects.get(pk=tax))


def _check_account(taxpayer):
    """Balance = sum of entries = closing line of the extract = the citizen's view; interest is never negative."""
    balance = taxpayer.balance()
    due = sum(part.amount for part in Instalment.objects.filter(assessment__taxpayer=taxpayer, due__lte=TODAY))
    total_paid = sum(payment.amount for payment in taxpayer.payments.all())
    assert (balance.due, balance.paid) == (due, total_paid) and balance.owed == due + balance.interest - total_paid
    assert all(own.interest >= 0 for own in taxpayer.balances().values())
    for assessment in taxpayer.assessments.filter(replaced_by=None):
        own = Instalment.objects.filter(assessment__taxpayer=taxpayer, assessment__tax=assessment.tax_id)
        assert sum(part.amount for part in own.filter(assessment__year=assessment.year)) == assessment.amount
    until, _ = extracting.lines(taxpayer, TODAY)
    assert sum((line.owed or 0) - (line.paid or 0) for line in until) == balance.owed
    names = dict(Tax.objects.values_list("name", "code"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tax, due, paid, interest, balance FROM citizen_balance WHERE identifier = %s", [FIRM])
        view_rows = {names[tax]: tuple(rest) for tax, *rest in cursor.fetchall()}
    assert view_rows == {tax: (b.due, b.paid, b.interest, b.owed) for tax, b in taxpayer.balances().items()}


LISTS = ["", "adozok/", "hatralekok/", "kivonatok/", "tisztazatlan/"]


def test_lists_ask_the_database_no_more_for_more_rows(clerk, serve):
    def fill(numbers):
        with serve("ado"):
            for n in numbers:
                who = Taxpayer.objects.create(identifier=f"{n}", name=f"Próba {n}", address="Sajószentpéter")
                owe(who, "hipa", d2024_06_03=1000 + n)
                tax_return(1000, identifier=f"{n}")
                text = f"{';'.join(statements.COLUMNS)}\n2026-03-16;12 000;B-{n};x;adó"
                statements.book(statements.take(text.encode(), f"{n}.csv", "Próba").pk, "Próba")

    def count_queries():
        result = {}
        for path in LISTS:
            with serve("ado"), CaptureQueriesContext(connection) as queries:
                assert clerk.get(f"/ado/{path}").status_code == 200
                result[path] = len(queries)
        return result

    fill(range(1))
    few = count_queries()
    fill(range(1, 12))
    assert count_queries() == few and max(few.values()) < 12
    assert text_of(clerk.get("/ado/hatralekok/")).index("Próba 11") < text_of(clerk.get("/ado/hatralekok/")).index(
        "Próba 0"
    )
