"""A daemon is killed outright and started again with the arguments it had."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from centre.verbs.host import runs
from tests.soak import daemon
from tests.support.polling import poll

PROGRAM = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"


@pytest.fixture
def pid_file(tmp_path, monkeypatch):
    """The file of a process that stands for the daemon, and that answers while it lives."""
    file = tmp_path / "docker.pid"
    monkeypatch.setattr(daemon, "PID_FILE", file)
    monkeypatch.setattr(daemon, "docker", lambda _method, _path: file.is_file() and alive(int(file.read_text() or 0)))
    monkeypatch.setattr(daemon, "forget_dead_daemon", lambda: file.unlink(missing_ok=True))
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(file)])
    poll(lambda: file.is_file() and file.read_text(), bool, 20, "the process has written its number")
    yield file
    for pid in {process.pid, int(file.read_text())}:
        if alive(pid):
            os.kill(pid, 9)
    process.wait()


def alive(pid):
    return runs(str(pid))


def test_it_is_killed_and_started_again_as_it_was(pid_file, tmp_path):
    before = int(pid_file.read_text())
    began = time.monotonic()
    away = daemon.lose(tmp_path / "log")
    after = int(pid_file.read_text())
    assert after != before and alive(after) and not alive(before)
    assert 0 < away <= time.monotonic() - began
    words = Path(f"/proc/{after}/cmdline").read_text().split("\0")
    assert words == [sys.executable, "-c", PROGRAM, str(pid_file), ""]


def test_one_that_does_not_come_back_is_told(pid_file, tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "SECONDS", 1)
    monkeypatch.setattr(daemon, "docker", lambda _method, _path: None)
    with pytest.raises(TimeoutError, match=r"after 1 s it does not answer; see .*log"):
        daemon.lose(tmp_path / "log")
