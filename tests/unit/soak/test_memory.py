"""Memory that grows, memory that only wavers, and containers too young to be judged."""

import pytest

from tests.soak.memory import GROWTH_LIMIT, JAVA_SETTLING, SETTLING, SHORTEST, Sample, judge, series, slope

DAY = 1800


def samples(service="irat", container="a", begin=0, end=DAY, start=90.0, hourly=0.0, waver=0.0):
    return [
        Sample(at, service, container, start + hourly * (at - begin) / 3600 + waver * (at // 10 % 2), 256)
        for at in range(begin, end, 10)
    ]


def test_a_slope_is_in_mib_an_hour():
    assert slope([(0, 10.0), (1800, 15.0), (3600, 20.0)]) == pytest.approx(10)
    assert slope([(0, 20.0), (3600, 10.0)]) == pytest.approx(-10)


def test_growth_past_the_limit_is_named_and_growth_below_it_is_not():
    verdict, rows = judge(samples(hourly=GROWTH_LIMIT - 1), 0, DAY, {}, [])
    assert (verdict.good, rows[0]["growth"]) == (True, GROWTH_LIMIT - 1)
    verdict, _ = judge(samples(hourly=GROWTH_LIMIT + 1), 0, DAY, {}, [])
    assert verdict.good is False
    assert verdict.faults == [f"irat: grows by {GROWTH_LIMIT + 1:.1f} MiB an hour, at most {GROWTH_LIMIT}"]


def test_the_first_half_does_not_count():
    steep = samples(end=900, hourly=500) + samples(begin=900, start=215)
    assert judge(steep, 0, DAY, {}, [])[0].good is True


def test_memory_that_wavers_is_flat():
    assert judge(samples(waver=20), 0, DAY, {}, [])[0].good is True


def test_a_successor_is_judged_alone_and_after_it_settled():
    dead, successor = samples(end=1000, start=200), samples(container="b", begin=1000, start=60)
    points = series(dead + successor, 900, {})["irat"]
    assert points[0][0] == 1000 + SETTLING and {mib for _, mib in points} == {60.0}


def test_a_worker_that_died_begins_the_series_anew():
    assert series(samples(), 900, {"irat": [1200.0]})["irat"][0][0] == 1200 + SETTLING


def test_keycloak_is_given_longer_to_take_its_heap():
    dead, successor = samples("asp-dev-identity", end=1000), samples("asp-dev-identity", "b", begin=1000)
    points = series(dead + successor, 900, {"asp-dev-identity": [1050.0]})["asp-dev-identity"]
    assert points[0][0] == 1050 + JAVA_SETTLING
    assert len(series(samples("asp-dev-identity"), 900, {})["asp-dev-identity"]) == 90, "one that was not begun anew"


def test_too_few_samples_are_not_judged():
    young = samples(container="b", begin=int(DAY - SHORTEST), hourly=5000)
    verdict, rows = judge(samples(end=1000) + young, 0, DAY, {}, [])
    assert (verdict.good, rows[0]["growth"]) == (None, None)
    assert judge(samples(end=120), 0, 120, {}, [])[0].good is None
    assert judge([], 0, DAY, {}, [])[0].good is None


def test_who_was_killed_for_memory_is_bad_however_short_the_run():
    verdict, _ = judge(samples(end=120), 0, 120, {}, ["asp-dev-identity"])
    assert (verdict.good, verdict.faults) == (False, ["asp-dev-identity: killed for memory"])


def test_one_service_that_grows_is_not_hidden_by_others():
    both = samples() + samples(service="ado", container="c", hourly=400)
    assert judge(both, 0, DAY, {}, [])[0].faults[0].startswith("ado: grows")
