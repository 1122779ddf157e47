"""Killing the Docker daemon of this machine as a loss of power does, and starting it again as it was."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from centre.verbs.host import PID_FILE, await_daemon, runs, service_manager, start_daemon
from tests.support.polling import poll

ENDING = 30  # seconds


def lose(log: Path) -> float:
    """Kill it, have it started again, and wait until it answers; how many seconds it was away.

    Where a service manager keeps it, that one starts it. `log`: where it writes to, started from here.
    """
    pid = PID_FILE.read_text().strip()
    command = Path("/proc", pid, "cmdline").read_text().split("\0")[:-1]
    began = time.monotonic()
    os.kill(int(pid), signal.SIGKILL)
    poll(lambda: runs(pid), lambda alive: not alive, ENDING, "the killed daemon has ended", 0.05)
    if service_manager():
        await_daemon("journalctl -u docker")
    else:
        start_daemon(command, log)
    return time.monotonic() - began
