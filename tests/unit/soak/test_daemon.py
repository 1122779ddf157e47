"""A daemon is killed outright and started again with the arguments it had."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from centre.verbs import host
from centre.verbs.host import runs
from centre.verbs.progress import StepFailed
from tests.soak import daemon
from tests.support.polling import poll

PROGRAM = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"


@pytest.fixture
def pid_file(tmp_path, monkeypatch):
    """The file of a process that stands for the daemon, and that answers while it lives."""
    file = tmp_path / "docker.pid"
    monkeypatch.setattr(daemon, "PID_FILE", file)
    monkeypatch.setattr(host, "docker", lambda _method, _path: file.is_file() and alive(int(file.read_text() or 0)))
    monkeypatch.setattr(host, "forget_dead_daemon", lambda: file.unlink(missing_ok=True))
    monkeypatch.setattr(daemon, "service_manager", lambda: False)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(file)])
    poll(lambda: file.is_file() and file.read_text(), bool, 20, "the process has written its number")
    yield file
    for pid in {process.pid, int(file.read_text() if file.is_file() else process.pid)}:
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


def test_one_that_gives_up_is_started_again(pid_file, tmp_path):
    again = tmp_path / "again"
    program = f"import pathlib, sys; file = pathlib.Path({str(again)!r}); first = not file.exists(); file.touch(); "
    program += f"sys.exit(1) if first else None; sys.argv[1:] = [{str(pid_file)!r}]; {PROGRAM}"
    pid_file.unlink()
    host.start_daemon([sys.executable, "-c", program], tmp_path / "log")
    assert again.exists() and alive(int(pid_file.read_text()))


def test_one_that_does_not_come_back_is_told(pid_file, tmp_path, monkeypatch):
    monkeypatch.setattr(host, "START_SECONDS", 1)
    monkeypatch.setattr(host, "docker", lambda _method, _path: None)
    with pytest.raises(StepFailed, match=r"Docker: no answer 1 s after its start\. See .*log"):
        daemon.lose(tmp_path / "log")
