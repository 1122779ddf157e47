"""The backup scheduler: cron expressions mean what cron means, and what is due follows from the catalogue alone."""

import datetime as dt
import json
import os
import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.images.postgres import asp_backup
from stacks.images.postgres.asp_backup import Cron, Metrics, due

FULL, DIFFERENTIAL, INCREMENTAL = "30 1 * * 0", "30 1 * * 1-6", "0 9-17 * * 1-5"
SCHEDULES = {"full": Cron(FULL), "differential": Cron(DIFFERENTIAL), "incremental": Cron(INCREMENTAL)}
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


def test_a_full_backup_fulfils_the_others():
    assert due(SCHEDULES, [backup("full", dt.datetime(2026, 11, 23, 12, 0))], MONDAY_NOON) is None


def test_an_incremental_fulfils_its_own_schedule_only():
    taken = [backup("full", dt.datetime(2026, 11, 22, 1, 31)), backup("incr", dt.datetime(2026, 11, 23, 12, 0))]
    assert due(SCHEDULES, taken, MONDAY_NOON) == "differential"
    assert due(SCHEDULES, [*taken, backup("diff", dt.datetime(2026, 11, 23, 1, 31))], MONDAY_NOON) is None


def test_the_hour_has_its_incremental_while_offices_work():
    taken = [backup("full", dt.datetime(2026, 11, 23, 1, 31)), backup("incr", dt.datetime(2026, 11, 23, 11, 0))]
    assert due(SCHEDULES, taken, MONDAY_NOON) == "incremental"
    evening = [*taken, backup("incr", dt.datetime(2026, 11, 23, 17, 0))]
    assert due(SCHEDULES, evening, dt.datetime(2026, 11, 23, 23, 59)) is None


WHOLE = """\
stanza: baz1
status: ok
  archiveId: 17-1, total WAL checked: 3, total valid WAL: 3
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261128-115340F, status: valid, total files checked: 966, total valid files: 966
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
"""
BUNDLE = WHOLE.replace("status: ok", "status: error").replace(
    "status: valid, total files checked: 966, total valid files: 966\n    missing: 0, checksum invalid: 0",
    "status: invalid, total files checked: 966, total valid files: 965\n    missing: 0, checksum invalid: 1",
)
MANIFEST = WHOLE.replace("status: valid, total files checked: 966", "status: manifest missing, total files checked: 0")
GONE = "".join(WHOLE.splitlines(keepends=True)[:4]) + "  backup: none found\n"
NEW = WHOLE + "  backup: 20261128-120125F, status: in-progress, total files checked: 0, total valid files: 0\n"
LABEL = "20261128-115340F"


@pytest.mark.parametrize("report", [WHOLE, NEW])
def test_a_whole_repository_has_no_damage(report):
    assert asp_backup.damage(report, {LABEL}) == ""


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (BUNDLE, f"status: error; .*{LABEL}, status: invalid.*checksum invalid: 1.*{LABEL} is not there whole"),
        (MANIFEST, f"status: manifest missing.*backup {LABEL} is not there whole"),
        (GONE, f"backup: none found; backup {LABEL} is not there whole"),
        ("stanza: baz1\nstatus: error\n  No usable backup.info file\n", "status: error; No usable backup.info file"),
        ("", f"backup {LABEL} is not there whole"),
    ],
)
def test_what_pgbackrest_reports_is_believed_and_not_its_exit_code(report, said):
    """As 2.55.1 printed it, each time with exit code 0."""
    damage = asp_backup.damage(report, {LABEL})
    assert re.search(said, damage), damage
    assert "total files checked: 966, total valid files: 966" not in damage, "what is whole is not told"


def test_what_a_verification_found_is_kept_until_the_next(tmp_path, monkeypatch):
    reports = []

    def run(command, **_):
        listed = [{"backup": [{"label": LABEL, "type": "full", "timestamp": {"stop": 100}}]}]
        text = json.dumps(listed) if "info" in command else reports.pop()
        return subprocess.CompletedProcess(command, 0 if text else 28, text, "")

    monkeypatch.setattr(asp_backup.subprocess, "run", run)
    backups = asp_backup.backups_of("baz1", "1")
    assert asp_backup.unverified(backups, asp_backup.finding(tmp_path))
    reports.append(WHOLE)
    assert asp_backup.verify("baz1", "1", tmp_path) == ""
    whole = asp_backup.finding(tmp_path)
    assert whole["at"] > 100 and not asp_backup.unverified(backups, whole)
    newer = {"type": "full", "timestamp": {"stop": whole["at"] + 1}}
    assert asp_backup.unverified([*backups, newer], whole)
    assert not asp_backup.unverified([*backups, {**newer, "type": "incr"}], whole)
    reports.append(BUNDLE)
    fault = asp_backup.verify("baz1", "1", tmp_path)
    assert "checksum invalid: 1" in fault
    assert asp_backup.finding(tmp_path) == {"at": whole["at"], "damage": fault}, "when it was whole last stays known"
    assert asp_backup.unverified(backups, asp_backup.finding(tmp_path)), "it is verified again"
    reports.append("")
    assert "could not be verified: exit code 28" in asp_backup.verify("baz1", "1", tmp_path)
    assert asp_backup.finding(tmp_path)["damage"] == fault, "who found out nothing changes nothing"


def test_a_catalogue_that_does_not_answer_ends_nothing(monkeypatch, capsys):
    def run(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(asp_backup.subprocess, "run", run)
    assert asp_backup.backups_of("baz1", "1") is None
    assert "the catalogue cannot be read: no answer in 60 s" in capsys.readouterr().err


def test_what_a_backup_has_inside_is_read_once(tmp_path, monkeypatch):
    asked = []

    def run(command, **_):
        asked.append(command[-1])
        label = command[-1].removeprefix("--set=")
        listed = [{"label": label, "database-ref": [{"name": f"t{label}", "oid": 7}]}]
        return subprocess.CompletedProcess(command, 0, json.dumps([{"backup": listed}]), "")

    monkeypatch.setattr(asp_backup.subprocess, "run", run)
    for label in ("1", "1", "2", "1"):
        assert asp_backup.inside("baz1", "1", tmp_path, label) == {f"t{label}": 7}
    assert asked == ["--set=1", "--set=2", "--set=1"]
    (tmp_path / asp_backup.INSIDE).write_text('{"lab')
    assert asp_backup.inside("baz1", "1", tmp_path, "1") == {"t1": 7}, "a file that is no answer is not believed"


def test_what_was_noted_to_be_archived_is_told_and_the_last_note_holds(tmp_path):
    assert asp_backup.archived(tmp_path) == {}
    asp_backup.note_archived(tmp_path, ["t16054=20001", "t14784=20002"])
    asp_backup.note_archived(tmp_path, ["t16054=20003"])
    assert asp_backup.archived(tmp_path) == {"t16054": 20003, "t14784": 20002}
    (tmp_path / asp_backup.ARCHIVED / "t14784").write_text("")
    assert asp_backup.archived(tmp_path) == {"t16054": 20003}, "a file that is no answer is not believed"


@pytest.mark.parametrize("text", ["[]", '[{"backup": []}]'])
def test_a_repository_without_backup_has_a_state_too(tmp_path, monkeypatch, text):
    monkeypatch.setattr(
        asp_backup.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, text, "")
    )
    state = asp_backup.state("baz1", {"1": tmp_path})
    nothing = {"inside": {}, "archived": {}, "finding": {"at": 0, "damage": ""}}
    assert state == {"1": {"info": json.loads(text), **nothing}}


def test_a_repository_that_cannot_be_read_leaves_no_state(tmp_path, monkeypatch):
    monkeypatch.setattr(
        asp_backup.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 28, "", "no such")
    )
    assert asp_backup.state("baz1", {"1": tmp_path}) is None


def test_a_segment_that_expires_while_metrics_are_told_keeps_the_last_value(tmp_path):
    segments = tmp_path / "repo" / "archive" / "baz1" / "17-1" / "0000000200000000"
    segments.mkdir(parents=True)
    (segments / "gone").symlink_to(tmp_path / "nowhere")
    metrics = Metrics("baz1", {"1": str(tmp_path)})
    metrics._set("asp_archive_newest_wal_timestamp_seconds", 7, "1")
    assert 'asp_archive_newest_wal_timestamp_seconds{repository="1"} 7' in metrics.text()


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
    (tmp_path / "verified.json").write_text('{"at": 150, "damage": "status: error"}')
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
        'asp_backup_verified_timestamp_seconds{repository="1"} 150',
        'asp_backup_damaged{repository="1"} 1',
        'asp_backup_verified_timestamp_seconds{repository="2"} 0',
        'asp_backup_damaged{repository="2"} 0',
        "# TYPE asp_backup_runs_total counter",
    } <= set(lines)
    assert len({line for line in lines if line.startswith("# TYPE")}) == len(
        [line for line in lines if line.startswith("# TYPE")]
    ), "a type is told once"
