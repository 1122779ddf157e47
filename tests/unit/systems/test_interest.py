"""Late interest: exact laws that hold for any debts, payments and rates."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.ado.interest import Entry, Rate, exact, in_forints

FIRST = dt.date(2024, 1, 1)
days = st.integers(0, 800).map(lambda n: FIRST + dt.timedelta(days=n))
debts = st.lists(st.builds(Entry, days, st.integers(1, 10**9)), min_size=1, max_size=6)
payments = st.lists(st.builds(Entry, days, st.integers(-(10**9), -1)), max_size=6)
rates = st.lists(st.builds(Rate, days, st.integers(0, 3000)), min_size=1, max_size=4, unique_by=lambda r: r.since).map(
    lambda rates: [Rate(dt.date(2000, 1, 1), 1000), *sorted(rates, key=lambda rate: rate.since)]
)


def daily_percent(rate):
    """A 365th of the yearly rate, without what follows its third decimal (2017. évi CL. törvény 209. § (2))."""
    whole, _, decimals = f"{Decimal(rate.basis_points) / 100 / 365:.12f}".partition(".")
    return Fraction(f"{whole}.{decimals[:3]}")


def day_by_day(entries, rates, until):
    """The law, one calendar day after another: what was owed before the day bears the rate in force on the day."""
    total, day = Fraction(0), FIRST
    while day <= until:
        owed = sum(entry.amount for entry in entries if entry.day < day)
        in_force = max((rate for rate in rates if rate.since <= day), key=lambda rate: rate.since)
        total += max(owed, 0) * daily_percent(in_force) / 100
        day += dt.timedelta(days=1)
    return total


@given(debts, payments, rates, days)
def test_it_is_what_the_law_says_day_by_day(owing, paid, rates, until):
    assert exact([*owing, *paid], rates, until) == day_by_day([*owing, *paid], rates, until)


@given(debts, payments, rates, days, days)
def test_a_later_day_never_owes_less_and_a_split_span_adds_up(owing, paid, rates, one, other):
    first, last = sorted((one, other))
    entries = [*owing, *paid]
    assert 0 <= exact(entries, rates, first) <= exact(entries, rates, last)
    carried = Entry(first, sum(entry.amount for entry in entries if entry.day <= first))
    rest = exact([carried, *(entry for entry in entries if entry.day > first)], rates, last)
    assert exact(entries, rates, first) + rest == exact(entries, rates, last)


@given(debts, rates, days)
def test_who_pays_on_the_day_owes_no_interest(owing, rates, until):
    assert exact([*owing, *(Entry(entry.day, -entry.amount) for entry in owing)], rates, until) == 0


DEBT = [Entry(dt.date(2025, 3, 15), 365_000)]  # due on a day on which 10 % are in force
TEN = Rate(dt.date(2000, 1, 1), 1000)


def test_a_known_amount():
    # A day of 10 % a year is 0.027 %, cut off: 98.55 Ft.
    assert in_forints(DEBT, [TEN], dt.date(2025, 3, 25)) == 986, "10 days"


@pytest.mark.parametrize(
    ("since", "until", "forints"),
    [
        (16, 15, 0),  # the due day itself bears nothing
        (16, 16, 197),  # the first day of the delay at its own rate, 0.054 %: 197.1 Ft
        (17, 16, 99),  # which begins only on the next day: 98.55 Ft
        (17, 17, 296),  # 98.55 + 197.1
        (26, 25, 986),
    ],
)
def test_a_day_bears_the_rate_that_is_in_force_on_it(since, until, forints):
    rates = [TEN, Rate(dt.date(2025, 3, since), 2000)]
    assert in_forints(DEBT, rates, dt.date(2025, 3, until)) == forints


@pytest.mark.parametrize(
    ("basis_points", "forints"),
    [(1250, 34), (1800, 49), (575, 15), (36, 0), (37, 1), (365, 10), (364, 9)],  # of 100 000 Ft in a day
)
def test_a_days_rate_has_three_decimals_of_a_percent_and_the_rest_is_cut_off(basis_points, forints):
    debt = [Entry(dt.date(2025, 3, 15), 100_000)]
    assert exact(debt, [Rate(dt.date(2000, 1, 1), basis_points)], dt.date(2025, 3, 16)) == forints
