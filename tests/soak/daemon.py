"""Killing the Docker daemon of this machine as a loss of power does, and starting it again as it was."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from centre.verbs.host import PID_FILE, docker, runs, service_manager, start_daemon

SECONDS = 90  # for the daemon to answer again


def lose(log: Path) -> float:
    """Kill it, have it started again, and wait until it answers; how many seconds it was away.

    Where a service manager keeps it, that one starts it. `log`: where it writes to, started from here.
    """
    pid = PID_FILE.read_text().strip()
    command = Path("/proc", pid, "cmdline").read_text().split("\0")[:-1]
    began = time.monotonic()
    os.kill(int(pid), signal.SIGKILL)
    while runs(pid):
        _in_time(began, "it was killed and has not ended")
        time.sleep(0.05)
    if service_manager():
        while not docker("GET", "/_ping"):
            _in_time(began, "it does not answer; see journalctl -u docker")
            time.sleep(0.1)
    else:
        start_daemon(command, log)
    return time.monotonic() - began


def _in_time(began: float, trouble: str) -> None:
    if time.monotonic() - began > SECONDS:
        raise TimeoutError(f"Docker daemon: after {SECONDS} s {trouble}")
