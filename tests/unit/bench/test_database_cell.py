"""The checker of fault benches sees two leaders that both took writes."""

import pytest

from tests.bench.database_cell import overlaps


def row(tl, node, t0, t1):
    return {"tl": tl, "node": node, "t0": t0, "t1": t1}


GOOD = [row("00000001", "a", 1, 2), row("00000001", "a", 2, 3), row("00000002", "b", 2.5, 4)]


@pytest.mark.parametrize(
    ("added", "count"),
    [
        ([], 0),
        ([row("00000001", "a", 4.5, 5)], 1),  # the old leader acknowledged after the new one had
        ([row("00000002", "a", 5, 6)], 1),  # one timeline on two nodes
    ],
)
def test_two_writable_leaders_are_seen(added, count):
    assert len(overlaps(GOOD + added)) == count
