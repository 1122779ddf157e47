"""The backup scheduler: cron expressions mean what cron means, and what is due follows from the catalogue alone."""

import datetime as dt
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.images.postgres.asp_backup import Cron, Metrics, due

FULL, DIFFERENTIAL = "30 1 * * 0", "30 1 * * 1-6"
SCHEDULES = {"full": Cron(FULL), "differential": Cron(DIFFERENTIAL)}
MONDAY_NOON = dt.datetime(2026, 11, 23, 12, 0)

moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31))


def backup(kind, start):
    return {"type": kind, "timestamp": {"start": start.timestamp()}}


@pytest.mark.parametrize(
    ("expression", "now", "wanted"),
    [
        ("30 1 * * 0", "2026-11-23 12:00", "2026-11-22 01:30"),
        ("30 1 * * 7", "2026-11-23 12:00", "2026-11-22 01:30"),
        ("30 1 * * 1-6", "2026-11-23 01:29", "2026-11-21 01:30"),
        ("30 1 * * 1-6", "2026-11-23 01:30", "2026-11-23 01:30"),
        ("*/15 * * * *", "2026-11-23 12:44", "2026-11-23 12:30"),
        ("0 4 1 * *", "2026-11-23 12:00", "2026-11-01 04:00"),
        ("0 0 29 2 *", "2027-03-01 00:00", "2024-02-29 00:00"),
        ("0 4 1 * 1", "2026-11-23 12:00", "2026-11-23 04:00"),  # either day field is enough
        ("0 4,16 * * *", "2026-11-23 12:00", "2026-11-23 04:00"),
    ],
)
def test_latest_firing(expression, now, wanted):
    assert Cron(expression).latest(dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(wanted)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 6), moments)
def test_latest_is_the_last_match_going_back_minute_by_minute(minute, hour, weekday, now):
    found = Cron(f"{minute} {hour} * * {weekday}").latest(now)
    assert found <= now < found + dt.timedelta(days=7)
    assert (found.minute, found.hour, found.isoweekday() % 7) == (minute, hour, weekday)


def test_a_day_that_never_comes_never_fires():
    assert Cron("0 0 31 2 *").latest(MONDAY_NOON) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("30 1 * *", "wanted 5 fields, seen 4"),
        ("60 1 * * *", "'60' is outside 0-59"),
        ("x 1 * * *", "'x' is not a number"),
        ("5-1 1 * * *", "'5-1' is outside"),
        ("*/0 1 * * *", r"'\*/0' is outside"),
    ],
)
def test_a_wrong_expression_is_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        Cron(expression)


def test_nothing_is_due_before_the_first_backup_of_all():
    assert due(SCHEDULES, [], MONDAY_NOON) is None


def test_a_differential_is_due_when_only_older_backups_exist():
    assert due(SCHEDULES, [backup("full", dt.datetime(2026, 11, 22, 1, 30, 5))], MONDAY_NOON) == "differential"


def test_a_full_is_due_first_when_it_was_missed():
    older = [backup("full", dt.datetime(2026, 11, 15, 1, 31)), backup("diff", dt.datetime(2026, 11, 23, 1, 31))]
    assert due(SCHEDULES, older, MONDAY_NOON) == "full"


def test_a_full_backup_fulfils_the_differential():
    assert due(SCHEDULES, [backup("full", dt.datetime(2026, 11, 23, 1, 31))], MONDAY_NOON) is None


def test_an_incremental_at_a_join_fulfils_nothing():
    taken = [backup("full", dt.datetime(2026, 11, 22, 1, 31)), backup("incr", dt.datetime(2026, 11, 23, 9, 0))]
    assert due(SCHEDULES, taken, MONDAY_NOON) == "differential"


def test_metrics_tell_the_newest_backup_of_each_type_and_the_newest_wal(tmp_path):
    segments = tmp_path / "repo" / "archive" / "baz1" / "17-1" / "0000000200000000"
    segments.mkdir(parents=True)
    (tmp_path / "repo" / "archive" / "baz1" / "archive.info").touch()
    segment = segments / "000000020000000000000007-abc.zst"
    segment.touch()
    os.utime(segment, (1_700_000_000, 1_700_000_000))
    metrics = Metrics("baz1", {"1": str(tmp_path), "2": str(tmp_path / "empty")})
    entry = {"timestamp": {"stop": 100}, "info": {"size": 5000, "repository": {"delta": 700}}}
    newer = {"timestamp": {"stop": 200}, "info": {"size": 6000, "repository": {"delta": 800}}}
    metrics.read("1", [{"type": "full", **entry}, {"type": "incr", **entry}, {"type": "full", **newer}])
    metrics.ran("2", False)
    lines = metrics.text().splitlines()
    assert {
        'asp_backup_count{repository="1"} 3',
        'asp_backup_newest_timestamp_seconds{repository="1",type="full"} 200',
        'asp_backup_newest_size_bytes{repository="1",type="incr"} 5000',
        'asp_backup_newest_repository_bytes{repository="1",type="full"} 800',
        'asp_backup_runs_total{repository="2",outcome="failed"} 1',
        'asp_backup_runs_total{repository="1",outcome="failed"} 0',
        'asp_archive_newest_wal_timestamp_seconds{repository="1"} 1700000000',
        'asp_archive_newest_wal_timestamp_seconds{repository="2"} 0',
        "# TYPE asp_backup_runs_total counter",
    } <= set(lines)
    assert len({line for line in lines if line.startswith("# TYPE")}) == len(
        [line for line in lines if line.startswith("# TYPE")]
    ), "a type is told once"
