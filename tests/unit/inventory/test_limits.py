"""The edge's limits in the register's catalogue."""

import pytest

from inventory.errors import UnknownName
from inventory.register import load


def test_a_limit_is_read_by_its_id_and_says_unit_and_reason():
    register = load("test")
    assert register.limit("body-seconds") == 10
    assert len(register.limits) >= 20
    assert all(limit.unit and limit.reason and limit.status == "assumed" for limit in register.limits.values())


def test_an_unknown_limit_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"(?s)body-second.*body-seconds"):
        load("test").limit("body-second")
