"""One verb at a time on an environment, and who is at work on it now. The lock goes with its process."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from centre.verbs.progress import StepFailed
from inventory import paths

FILE = "up.lock"
# `holder` looks by taking the lock for an instant, which must not refuse a verb that starts just then.
LOOK_SECONDS = 1.0
ZONE = ZoneInfo("Europe/Budapest")


@dataclass(frozen=True)
class Holder:
    """The verb that works on an environment: its name, its process and when it began (ISO, UTC)."""

    verb: str
    process: int
    since: str

    def __str__(self) -> str:
        began = dt.datetime.fromisoformat(self.since).astimezone(ZONE)
        return f"{self.verb} (process {self.process}) since {began:%H:%M:%S} (Budapest)"


def file_of(env: str) -> Path:
    return paths.environment_dir(env) / FILE


@contextlib.contextmanager
def hold(env: str, verb: str) -> Iterator[None]:
    """Hold an environment for this process; StepFailed naming who holds it already."""
    folder = paths.environment_dir(env)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file_of(env).open("a+", encoding="utf-8") as lock:
        deadline = time.monotonic() + LOOK_SECONDS
        while not _take(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = _read(file_of(env)) or "another process"
                raise StepFailed(f"environment {env}: {holder} is under way. Wait until it ends: asp status {env}")
            time.sleep(0.05)
        lock.truncate(0)
        lock.write(json.dumps(asdict(Holder(verb, os.getpid(), dt.datetime.now(dt.UTC).isoformat()))))
        lock.flush()
        yield


def holder(env: str) -> Holder | None:
    """Who works on the environment now; None when nobody does. It holds nothing and waits for nothing."""
    try:
        with file_of(env).open(encoding="utf-8") as lock:
            return None if _take(lock.fileno(), fcntl.LOCK_SH) else _read(file_of(env))
    except (FileNotFoundError, PermissionError):  # of who may not look, the daemon says so in better words
        return None


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(file: Path) -> Holder | None:
    try:
        return Holder(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):  # being written just now, or by an older release
        return None
