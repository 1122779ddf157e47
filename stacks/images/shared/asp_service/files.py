"""Files that are written whole or not at all, and locks that one process holds at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNFINISHED = ".new"  # end of the name of a file that is being written; a kill may leave one behind


def write_whole(file: Path, content: str) -> None:
    """Replace a file at once: readable by this user only, and on disk before the call returns."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=UNFINISHED)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file)


def write_json(file: Path, value: Any) -> None:
    """Replace a file at once by a value as JSON."""
    write_whole(file, json.dumps(value))


def read_json(file: Path) -> Any:
    """What a file holds; None when there is no such file or it is not JSON."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return json.loads(file.read_text(encoding="utf-8"))
    return None


@contextlib.contextmanager
def locked(file: Path, seconds: float | None = None, inherit: bool = False) -> Iterator[int]:
    """Hold a file's lock, waiting for the holder before: its descriptor. TimeoutError after `seconds`.

    `inherit`: processes started meanwhile may hold the lock as well, so it is free once the last of them is gone.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, inherit)
    try:
        if seconds is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _lock_within(descriptor, file, seconds)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock_within(descriptor: int, file: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{file}: still locked after {seconds:g} s") from None
            time.sleep(0.1)
