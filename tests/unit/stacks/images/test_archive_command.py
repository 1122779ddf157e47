"""Which WAL goes to the repository: everything but what lies behind the end of a timeline that was left."""

import os
import subprocess

import pytest

from inventory import paths

PROGRAM = paths.ROOT / "stacks" / "images" / "postgres" / "asp-pgbackrest-push"
HISTORY = "26\t0/80000A0\tno recovery target specified\n\n27\t1/9047C90\tthe same\n\n28\t1/A000000\tthe same\n"


@pytest.fixture
def archive(tmp_path):
    """`archive(name)`: what pgbackrest was called with, or None, and what was said; a history of two ends is there."""
    wal = tmp_path / "pg_wal"
    wal.mkdir()
    (wal / "0000001B.history").write_text("26\t0/1000000\tolder, of no account\n")
    (wal / "0000001D.history").write_text(HISTORY)
    calls = tmp_path / "called"
    tool = tmp_path / "pgbackrest"
    tool.write_text(f'#!/bin/sh\necho "$@" >{calls}\nexit 7\n')
    tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def run(name):
        calls.unlink(missing_ok=True)
        command = [str(PROGRAM), "baz1", f"pg_wal/{name}"]
        process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert process.returncode == (7 if calls.exists() else 0), process.stderr
        return calls.read_text().strip() if calls.exists() else None, process.stderr

    return run


@pytest.mark.parametrize(
    "name",
    [
        "0000001B0000000100000008",  # the last whole one of timeline 27
        "0000001A0000000000000007",
        "0000001C0000000100000009",  # 28 ended with this one
        "0000001D000000010000000A",  # the timeline that goes on
        "0000001900000001000000FF",  # one that the history does not know
        "0000001B0000000100000009.partial",
        "0000001D.history",
        "0000001B0000000100000008.00000028.backup",
    ],
)
def test_history_is_archived_and_a_refusal_is_passed_on(archive, name):
    assert archive(name)[0] == f"--stanza=baz1 archive-push pg_wal/{name}"


@pytest.mark.parametrize(
    "name",
    ["0000001B0000000100000009", "0000001B000000010000000A", "0000001B0000000200000000", "0000001C000000010000000A"],
)
def test_what_lies_behind_the_end_of_a_timeline_is_not(archive, name):
    calls, output = archive(name)
    assert calls is None and f"{name} is behind the end of its timeline" in output


def test_a_cluster_that_never_changed_its_timeline_archives_everything(archive, tmp_path):
    for file in (tmp_path / "pg_wal").iterdir():
        file.unlink()
    assert archive("000000010000000000000001")[0] == "--stanza=baz1 archive-push pg_wal/000000010000000000000001"
