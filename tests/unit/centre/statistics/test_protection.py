"""What publications of any days tell about one municipality, to somebody who knows all the others exactly."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centre.statistics import protection, publication
from centre.statistics.figures import Delivered
from centre.statistics.protection import WHOLE, Rounding, place_of, protect, round_figure, step_of
from inventory.errors import RegisterError
from tests.unit.inventory.register_copy import Copy

ROUNDING = Rounding(b"key", count_step=10, forint_step=10_000)
REGISTER = SimpleNamespace(
    environment=SimpleNamespace(id="x"),
    statistics=SimpleNamespace(smallest_count=5, remainder_percent=10),
    systems={"irat": SimpleNamespace(name="Iratkezelés")},
)
MUNICIPALITIES = [
    SimpleNamespace(
        ksh=f"1000{n}", systems=["irat"], settlement=SimpleNamespace(county="Baranya" if n < 5 else "Vas", population=9)
    )
    for n in range(8)
]
TARGET = MUNICIPALITIES[0].ksh
FIGURES = [41, 57, 455, 63, 38]


def published(days, municipalities=MUNICIPALITIES):
    """The publications of some days. A day: KSH code → bejövő and kimenő, of those that had delivered."""
    results = []
    for number, day in enumerate(days):
        deliveries = {
            ksh: Delivered(
                ["irat"],
                [
                    ("irat", "iktatott irat", part, "count", value)
                    for part, value in zip(("bejövő", "kimenő"), values, strict=True)
                ],
            )
            for ksh, values in day.items()
        }
        date = dt.date(2026, 1, 1) + dt.timedelta(days=number)
        results.append(publication.compile_day(REGISTER, date, municipalities, ["irat"], deliveries, ROUNDING))
    return results


def total(result):
    return result.chapters[0].measures[0].total


@pytest.mark.parametrize("absent", range(5))
def test_the_difference_of_two_days_is_not_the_figure_of_the_one_that_is_missing_or_joins(absent):
    """Five municipalities, and the next day without one of them: the totals differed by its own figure (ST1)."""
    day = {m.ksh: (value, 0) for m, value in zip(MUNICIPALITIES, FIGURES, strict=False)}
    without = {ksh: values for ksh, values in day.items() if ksh != MUNICIPALITIES[absent].ksh}
    first, second = published([day, without])
    difference = total(first) - total(second)
    assert difference != FIGURES[absent]
    assert difference % step_of(FIGURES[absent], 10) == 0 and abs(difference - FIGURES[absent]) < 50


# Days with joiners, leavers and late feeds (who is not in a day), and corrections (the same figure, another value).
values = st.integers(0, 3000)
days = st.lists(
    st.dictionaries(st.sampled_from([m.ksh for m in MUNICIPALITIES]), st.tuples(values, values), max_size=8),
    min_size=2,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(days=days)
def test_who_knows_all_but_one_learns_an_interval_from_all_days_together(days):
    """Two other histories of the one, far apart on every day, give the very same publications.

    They differ from the true one in the secret place of rounding too, which is what nobody outside knows.
    """
    truth = published(days)
    low, high = [], []
    for day in days:
        down, up = dict(day), dict(day)
        if TARGET in day:
            names = [(TARGET, "irat", "iktatott irat", part) for part in ("bejövő", "kimenő")]
            results = [round_figure(v, place_of(b"key", *n), 10) for v, n in zip(day[TARGET], names, strict=True)]
            down[TARGET] = tuple(max(0, value - step_of(max(0, value - 1), 10) + 1) for value in results)
            up[TARGET] = tuple(value + step_of(value, 10) - 1 for value in results)
            for true, least, most in zip(day[TARGET], down[TARGET], up[TARGET], strict=True):
                assert least <= true <= most
                assert most - least >= max(9, true / 10), "an interval of a tenth of the figure, and of nine at least"
        low.append(down)
        high.append(up)
    for history, place in ((low, WHOLE - 1), (high, 0)):
        assert published_with(place, history) == truth


def published_with(place, history):
    """Publications if the target's places were another one."""
    original = protection.place_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            protection, "place_of", lambda key, ksh, *names: place if ksh == TARGET else original(key, ksh, *names)
        )
        return published(history)


@settings(max_examples=100, deadline=None)
@given(days=days)
def test_totals_parts_and_what_is_withheld_follow_from_rounded_figures_alone(days):
    """No decision looks at an exact figure: it would say something about it by what it withholds."""
    rounded_days = []
    for day in days:
        places = {
            (ksh, part): place_of(b"key", ksh, "irat", "iktatott irat", part)
            for ksh in day
            for part in ("bejövő", "kimenő")
        }
        rounded_days.append(
            {
                ksh: tuple(
                    round_figure(v, places[ksh, part], 10) for part, v in zip(("bejövő", "kimenő"), both, strict=True)
                )
                for ksh, both in day.items()
            }
        )
    assert published(days) == published(rounded_days)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.integers(-30, 30), max_size=30), start=st.integers(200, 209), place=st.integers(0, WHOLE - 1)
)
def test_who_knows_every_change_of_the_one_too_cannot_tell_it_from_its_neighbours(changes, start, place):
    """Within sizes of one step: a history shifted as a whole by any part of a step gives the same publications."""
    step = 50
    history = [start]
    for change in changes:
        history.append(min(499 - step, max(200 + step, history[-1] + change)))
    history = history[1:] or [250]
    results = [round_figure(value, place, 10) for value in history]
    shifts = 0
    for shift in range(-step + 1, step):
        other = place - shift * WHOLE // step
        if 0 <= other < WHOLE:
            shifts += [round_figure(value + shift, other, 10) for value in history] == results
    assert shifts >= step - 2, "as many neighbours as a step has values, whatever was published"


@given(value=st.integers(-(10**13), 10**13), place=st.integers(0, WHOLE - 1), smallest=st.sampled_from([10, 10_000]))
def test_a_figure_goes_to_the_next_step_and_stays_there(value, place, smallest):
    near, step = round_figure(value, place, smallest), step_of(abs(value), smallest)
    assert abs(near - value) < step and near % step == 0 and near * value >= 0
    assert round_figure(near, place, smallest) == near
    assert step == smallest or abs(value) / 10 <= step <= abs(value) / 4 + 1
    assert round_figure(abs(value) + 1, place, smallest) >= round_figure(abs(value), place, smallest), (
        "larger stays larger"
    )


@pytest.mark.parametrize("value", [0, 1, 9, 41, 123, 455, 1234])
def test_on_average_over_all_places_nothing_is_added(value):
    places = range(0, WHOLE, WHOLE // 1000)
    average = sum(round_figure(value, place, 10) for place in places) / len(places)
    assert average == pytest.approx(value, abs=step_of(value, 10) / 200)


@pytest.mark.parametrize(
    ("size", "step"),
    [(0, 10), (99, 10), (100, 20), (199, 20), (200, 50), (499, 50), (500, 100), (999, 100), (1000, 200), (2000, 500)],
)
def test_a_step_is_a_tenth_to_a_quarter_of_the_figure(size, step):
    assert step_of(size, 10) == step


def test_two_figures_whose_names_run_into_one_have_places_of_their_own():
    assert place_of(b"key", "16054", "irat", "ab", "c") != place_of(b"key", "16054", "irat", "a", "bc")
    assert 0 <= place_of(b"key", "16054") < WHOLE


@pytest.mark.parametrize(("value", "place", "near"), [(-5, 0, 0), (-5, WHOLE - 1, -10), (-123, 0, -120), (-10, 7, -10)])
def test_a_debt_stays_one(value, place, near):
    assert round_figure(value, place, 10) == near


def test_a_total_of_the_country_is_off_by_less_than_a_percent():
    exact = {f"{n:05}": 20 + n * 7 % 4000 for n in range(3000)}
    deliveries = {ksh: Delivered(["irat"], [("irat", "m", "", "count", value)]) for ksh, value in exact.items()}
    total = sum(delivery.figures[0][4] for delivery in protect(deliveries, ROUNDING).values())
    assert abs(total / sum(exact.values()) - 1) < 0.01


def test_the_same_figure_is_rounded_alike_on_every_day_and_each_figure_in_its_own_way():
    deliveries = {
        m.ksh: Delivered(["irat"], [("irat", "m", part, "count", 5) for part in ("a", "b", "c")])
        for m in MUNICIPALITIES
    }
    first = protect(deliveries, ROUNDING)
    assert first == protect(deliveries, ROUNDING)
    assert {row[4] for delivery in first.values() for row in delivery.figures} == {0, 10}
    of_each = {tuple(row[4] for row in delivery.figures) for delivery in first.values()}
    assert len(of_each) > 1, "nor does one municipality's tell of another's"
    assert first != protect(deliveries, Rounding(b"another", 10, 10_000))


def test_a_count_is_rounded_by_at_least_what_protects_few_persons(tmp_path):
    copy = Copy(tmp_path)
    copy.edit("catalogue/statistics.yaml", "count_step: 10 ", "count_step: 4 ")
    with pytest.raises(RegisterError, match="count_step"):
        copy.load()
