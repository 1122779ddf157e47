"""What is told of each repository, and that nothing which expires meanwhile ends the telling."""

import os

from asp_backup.metrics import BackupMetrics
from asp_backup.repository import Repository


def test_a_segment_that_expires_while_metrics_are_told_keeps_the_last_value(tmp_path):
    segments = tmp_path / "repo" / "archive" / "baz1" / "17-1" / "0000000200000000"
    segments.mkdir(parents=True)
    segment = segments / "000000020000000000000007-abc.zst"
    segment.touch()
    os.utime(segment, (7, 7))
    metrics = BackupMetrics([Repository("baz1", "1", tmp_path)])
    line = 'asp_archive_newest_wal_timestamp_seconds{repository="1"} 7'
    assert line in metrics.text()
    segment.unlink()
    segment.symlink_to(tmp_path / "nowhere")
    assert line in metrics.text()


def test_metrics_tell_the_newest_backup_of_each_type_and_the_newest_wal(tmp_path):
    segments = tmp_path / "repo" / "archive" / "baz1" / "17-1" / "0000000200000000"
    segments.mkdir(parents=True)
    (tmp_path / "repo" / "archive" / "baz1" / "archive.info").touch()
    segment = segments / "000000020000000000000007-abc.zst"
    segment.touch()
    os.utime(segment, (1_700_000_000, 1_700_000_000))
    metrics = BackupMetrics([Repository("baz1", "1", tmp_path), Repository("baz1", "2", tmp_path / "empty")])
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
