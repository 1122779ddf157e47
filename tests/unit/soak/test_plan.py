"""Which fault comes when."""

from tests.soak.plan import plan

FAULTS = ["app", "node", "pooler", "backup"]


def test_the_same_seed_gives_the_same_day_and_another_seed_another():
    assert plan(7, 1800, 60, FAULTS) == plan(7, 1800, 60, FAULTS) != plan(8, 1800, 60, FAULTS)


def test_every_fault_comes_once_before_any_comes_again():
    names = [entry.fault for entry in plan(3, 3600, 180, FAULTS)]
    assert len(names) == 20
    for turn in range(0, 20, 4):
        assert sorted(names[turn : turn + 4]) == sorted(FAULTS)


def test_the_first_comes_after_half_a_pause_and_the_last_half_a_pause_before_the_end():
    assert [entry.at for entry in plan(1, 1800, 180, FAULTS)] == [90 + 180 * n for n in range(10)]


def test_a_day_shorter_than_a_pause_has_none():
    assert plan(1, 100, 180, FAULTS) == []
