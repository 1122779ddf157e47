"""Late interest: exact laws that hold for any debts, payments and rates."""

import datetime as dt
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from systems.ado.interest import Entry, Rate, exact, in_forints

FIRST = dt.date(2024, 1, 1)
days = st.integers(0, 800).map(lambda n: FIRST + dt.timedelta(days=n))
debts = st.lists(st.builds(Entry, days, st.integers(1, 10**9)), min_size=1, max_size=6)
payments = st.lists(st.builds(Entry, days, st.integers(-(10**9), -1)), max_size=6)
rates = st.lists(st.builds(Rate, days, st.integers(0, 3000)), min_size=1, max_size=4, unique_by=lambda r: r.since).map(
    lambda found: [Rate(dt.date(2000, 1, 1), 1000), *sorted(found, key=lambda rate: rate.since)]
)


def day_by_day(entries, rates, until):
    """The definition: each night, the debt at the end of the day bears the rate of that day."""
    total, day = Fraction(0), FIRST
    while day < until:
        owed = sum(entry.amount for entry in entries if entry.day <= day)
        rate = [rate.basis_points for rate in rates if rate.since <= day][-1]
        total += Fraction(max(owed, 0) * rate, 10_000 * 365)
        day += dt.timedelta(days=1)
    return total


@given(debts, payments, rates, days)
def test_it_is_what_the_definition_says(owing, paid, rates, until):
    assert exact([*owing, *paid], rates, until) == day_by_day([*owing, *paid], rates, until)


@given(debts, payments, rates, days, days)
def test_a_later_day_never_owes_less_and_a_split_span_adds_up(owing, paid, rates, one, other):
    first, last = sorted((one, other))
    entries = [*owing, *paid]
    assert 0 <= exact(entries, rates, first) <= exact(entries, rates, last)


@given(debts, rates, days)
def test_who_pays_on_the_day_owes_no_interest(owing, rates, until):
    assert exact([*owing, *(Entry(entry.day, -entry.amount) for entry in owing)], rates, until) == 0


def test_a_known_amount():
    debt = [Entry(dt.date(2025, 3, 15), 365_000)]
    assert in_forints(debt, [Rate(dt.date(2000, 1, 1), 1000)], dt.date(2025, 3, 25)) == 1000, "10 days of 10 % a year"
