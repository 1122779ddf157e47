"""Money is exact: what is shown can be parsed again, rounding is to the nearest forint, other texts are refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.core import money

amounts = st.integers(-money.LARGEST, money.LARGEST)


@given(amounts)
def test_what_is_shown_is_read_back(amount):
    assert money.parse(money.to_text(amount)) == amount
    assert money.parse(f" {money.to_text(amount)} Ft") == amount
    assert money.parse(f"{amount:,}".replace(",", ".")) == amount


@given(st.fractions())
def test_rounding_is_to_the_nearest_and_symmetric(amount):
    assert abs(money.round_to_forint(amount) - amount) <= Fraction(1, 2)
    assert money.round_to_forint(-amount) == -money.round_to_forint(amount)
    assert money.round_to_forint(Fraction(money.round_to_forint(amount))) == money.round_to_forint(amount)


def test_half_a_forint_goes_away_from_zero():
    assert [money.round_to_forint(Fraction(n, 2)) for n in (1, 3, -1, -3)] == [1, 2, -1, -2]


@pytest.mark.parametrize(
    "text", ["", "1,5", "1.5", "12.34.567", "1e3", "ezer", "0x10", "٣", "1" * 17, "--5", "1 000 000 000 000 000 1"]
)
def test_what_is_no_amount_is_refused_in_hungarian(text):
    with pytest.raises(ValueError, match="forintot|túl nagy"):
        money.parse(text)
