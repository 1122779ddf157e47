"""What is due follows from the settings and from pgBackRest's catalogue alone."""

import datetime as dt

from asp_backup.cron import Cron
from asp_backup.schedule import due, unverified

FULL, DIFFERENTIAL, INCREMENTAL = "30 1 * * 0", "30 1 * * 1-6", "0 9-17 * * 1-5"
SCHEDULES = {"full": Cron(FULL), "differential": Cron(DIFFERENTIAL), "incremental": Cron(INCREMENTAL)}
MONDAY_NOON = dt.datetime(2026, 11, 23, 12, 0)


def backup(kind, start):
    return {"type": kind, "timestamp": {"start": start.timestamp()}}


def test_nothing_is_due_before_the_first_backup_of_all():
    assert due(SCHEDULES, [], MONDAY_NOON) is None


def test_a_differential_is_due_when_only_older_backups_exist():
    assert due(SCHEDULES, [backup("full", dt.datetime(2026, 11, 22, 1, 30, 5))], MONDAY_NOON) == "differential"


def test_a_full_is_due_first_when_it_was_missed():
    older = [backup("full", dt.datetime(2026, 11, 15, 1, 31)), backup("diff", dt.datetime(2026, 11, 23, 1, 31))]
    assert due(SCHEDULES, older, MONDAY_NOON) == "full"


def test_a_full_backup_fulfils_the_others():
    assert due(SCHEDULES, [backup("full", dt.datetime(2026, 11, 23, 12, 0))], MONDAY_NOON) is None


def test_an_incremental_fulfils_its_own_schedule_only():
    backups = [backup("full", dt.datetime(2026, 11, 22, 1, 31)), backup("incr", dt.datetime(2026, 11, 23, 12, 0))]
    assert due(SCHEDULES, backups, MONDAY_NOON) == "differential"
    assert due(SCHEDULES, [*backups, backup("diff", dt.datetime(2026, 11, 23, 1, 31))], MONDAY_NOON) is None


def test_the_hour_has_its_incremental_while_offices_work():
    backups = [backup("full", dt.datetime(2026, 11, 23, 1, 31)), backup("incr", dt.datetime(2026, 11, 23, 11, 0))]
    assert due(SCHEDULES, backups, MONDAY_NOON) == "incremental"
    evening = [*backups, backup("incr", dt.datetime(2026, 11, 23, 17, 0))]
    assert due(SCHEDULES, evening, dt.datetime(2026, 11, 23, 23, 59)) is None


def test_a_repository_is_verified_after_each_full_backup_and_while_it_is_damaged():
    full, later = {"type": "full", "timestamp": {"stop": 100}}, {"type": "full", "timestamp": {"stop": 201}}
    never, whole, damaged = {"at": 0, "damage": ""}, {"at": 200, "damage": ""}, {"at": 200, "damage": "status: error"}
    assert unverified([full], never) and unverified([full], damaged)
    assert not unverified([full], whole) and not unverified([], never)
    assert unverified([full, later], whole)
    assert not unverified([full, {**later, "type": "incr"}], whole)
