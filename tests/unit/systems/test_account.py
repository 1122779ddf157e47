"""What is open on a tax account, and in which order money settles it."""

import datetime as dt

import pytest

from systems.ado.account import DUE, INTEREST, TO_COME, Ledger, split_payment
from systems.ado.interest import Entry, Rate

DAY = dt.date(2025, 3, 17)
RATES = [Rate(dt.date(2000, 1, 1), 3650)]  # a tenth of a percent a day


def day(offset):
    return DAY + dt.timedelta(days=offset)


def charges(**amounts):
    return [Entry(day(int(name[1:].replace("_", "-"))), amount) for name, amount in amounts.items()]


def test_what_falls_due_today_is_due_and_comes_before_interest():
    ledger = Ledger(charges(d_10=1000, d0=500, d1=200))
    assert ledger.claims(RATES, DAY) == [
        (DUE, day(-10), 1000), (DUE, DAY, 500), (INTEREST, DAY, 10), (TO_COME, day(1), 200),
    ]  # fmt: skip


def test_money_settles_the_oldest_debt_then_interest_then_what_is_to_come():
    ledger = {"hipa": Ledger(charges(d_10=1000, d0=500, d1=200))}
    rest = {"telek": Ledger(charges(d_1=300))}
    assert split_payment(ledger | rest, RATES, 1000, DAY) == {"hipa": 1000}
    assert split_payment(ledger | rest, RATES, 1300, DAY) == {"hipa": 1000, "telek": 300}
    assert split_payment(ledger | rest, RATES, 1810, DAY) == {"hipa": 1510, "telek": 300}, "the land tax bears 0.3 Ft"
    assert split_payment(ledger | rest, RATES, 2011, DAY) == {"hipa": 1711, "telek": 300}, "a forint too much"


def test_a_surplus_goes_to_the_tax_that_is_due_last_and_nothing_is_lost():
    ledgers = {"hipa": Ledger(charges(d_10=1000, d_5=100)), "telek": Ledger(charges(d_1=300))}
    assert split_payment(ledgers, [], 2000, DAY) == {"hipa": 1100, "telek": 900}
    assert split_payment(ledgers, [], 1401, DAY) == {"hipa": 1100, "telek": 301}
    assert split_payment({"hipa": Ledger()}, [], 1, DAY) is None


def test_what_is_paid_later_has_settled_a_claim_too():
    ledger = Ledger(charges(d_10=1000), [Entry(day(5), 400)])
    assert ledger.claims([], DAY) == [(DUE, day(-10), 600)], "a transfer of an earlier day does not pay it again"


def test_the_day_of_a_due_day_counts_in_a_balance():
    ledger = Ledger(charges(d0=500, d1=200), [Entry(day(0), 100), Entry(day(1), 50)])
    assert (ledger.balance(RATES, DAY).due, ledger.balance(RATES, DAY).paid) == (500, 100)
    assert (ledger.balance(RATES, day(1)).due, ledger.balance(RATES, day(1)).paid) == (700, 150)
    assert ledger.balance(RATES, day(-1)).owed == 0


@pytest.mark.parametrize(("credit", "open_claims"), [(300, [700, 500]), (1000, [500]), (1400, [100]), (1500, [])])
def test_a_reduction_settles_like_money(credit, open_claims):
    ledger = Ledger([*charges(d_10=1000, d_5=500), Entry(day(-10), -credit)])
    claims = ledger.claims([], DAY)
    assert [amount for stage, _, amount in claims if stage == DUE] == open_claims
