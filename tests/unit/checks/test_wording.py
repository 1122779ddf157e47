"""Numbers as Hungarian readers write them."""

from __future__ import annotations

import pytest

from checks.wording import amount, number


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (5.0, "5"), (99.5, "99,5"), (0.04, "0"), (-0.04, "0"), (1234.56, "1\u00a0234,6"), (-6.2, "-6,2")],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(26, "hours", "26 óra"), (204, "ms", "204 ms"), (3, "working days", "3 munkanap"), (7, "", "7")],
)
def test_amounts_have_their_units(value, unit, text):
    assert amount(value, unit) == text
