"""A moment without a zone is Budapest time, whatever the machine's; what is doubtful in it is refused."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centre import moments
from centre.moments import MomentFault


@pytest.fixture(params=["UTC", "America/New_York", "Europe/Budapest"])
def machine(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23 14:00:00", "2026-11-23T13:00:00+00:00"),
        ("2026-07-01 14:00", "2026-07-01T12:00:00+00:00"),
        ("2026-11-23T14:00:00+01:00", "2026-11-23T13:00:00+00:00"),
        ("2026-11-23 14:00:00Z", "2026-11-23T14:00:00+00:00"),
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59+00:00"),
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59+00:00"),
        ("2026-10-25 03:00:00", "2026-10-25T02:00:00+00:00"),
        ("2026-11-23", "2026-11-22T23:00:00+00:00"),
    ],
)
def test_a_moment_is_read_in_budapest_on_any_machine(machine, text, utc):
    assert moments.read(text) == datetime.fromisoformat(utc)
    assert moments.read(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("2026-10-25 02:30", "2026-10-25T02:30:00+02:00 (= 00:30 UTC)", "2026-10-25T02:30:00+01:00 (= 01:30 UTC)"),
        ("2026-10-25 02:00", "2026-10-25T02:00:00+02:00 (= 00:00 UTC)", "2026-10-25T02:00:00+01:00 (= 01:00 UTC)"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00+01:00 (= 00:30 UTC)", "2026-03-29T03:30:00+02:00 (= 01:30 UTC)"),
        ("2026-03-29 02:00", "2026-03-29T01:00:00+01:00 (= 00:00 UTC)", "2026-03-29T03:00:00+02:00 (= 01:00 UTC)"),
    ],
)
def test_what_a_change_of_clocks_makes_doubtful_is_refused_with_both_readings(machine, text, one, other):
    with pytest.raises(MomentFault) as refusal:
        moments.read(text)
    assert f"wanted one of {one} and {other}" in str(refusal.value)
    for reading in (one, other):
        assert moments.read(reading.partition(" ")[0])


def test_the_readings_offered_are_an_hour_apart():
    first, second = (moments.read(text) for text in ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"))
    assert second - first == timedelta(hours=1)


@pytest.mark.parametrize("text", ["tegnap", "", "14:00", "2026-13-01 10:00"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(MomentFault, match="wanted a moment, as 2026-11-23 14:00:00.*seen: "):
        moments.read(text)


@pytest.mark.parametrize(
    ("utc", "words"),
    [
        ("2026-11-23T13:00:00+00:00", "2026-11-23 14:00:00 Budapest = 13:00:00 UTC"),
        ("2026-07-01T12:00:00+00:00", "2026-07-01 14:00:00 Budapest = 12:00:00 UTC"),
        ("2026-11-22T23:30:00+00:00", "2026-11-23 00:30:00 Budapest = 2026-11-22 23:30:00 UTC"),
        ("2026-11-23T13:00:00.250+00:00", "2026-11-23 14:00:00.250 Budapest = 13:00:00.250 UTC"),
    ],
)
def test_a_moment_is_shown_in_both_zones(utc, words):
    assert moments.describe(datetime.fromisoformat(utc)) == words


@given(st.datetimes(datetime(2000, 1, 1), datetime(2036, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
def test_what_is_read_is_shown_as_it_was_written(local):
    try:
        moment = moments.read(str(local))
    except MomentFault:
        return  # one of the two hours a year
    assert moments.describe(moment).startswith(f"{local} Budapest")
