"""Workers that die in a row end the server; single deaths over a day do not."""

from systems.core.deaths import Deaths


def test_five_deaths_within_a_minute_are_too_many():
    now = iter([0, 10, 20, 30, 40])
    deaths = Deaths(5, 60, lambda: next(now))
    assert [deaths.another() for _ in range(5)] == [False, False, False, False, True]


def test_deaths_that_lie_apart_are_not():
    now = iter(range(0, 1000, 20))
    deaths = Deaths(5, 60, lambda: next(now))
    assert not any(deaths.another() for _ in range(20))
