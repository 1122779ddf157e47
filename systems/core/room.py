"""Room in an app server's memory for large requests: bodies wait until they fit, and large work is done one at a time.

A server of 256 MiB uses some 85 at rest. A body is held once while it arrives; while it is stored or unpacked it is
there up to four times (form, parameter, the database client's buffer, which doubles as it grows).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from systems.shared.bodies import MIB

THREADS = 8  # of a server
BODIES = 48 * MIB  # held at once; a larger one is admitted alone
MOST_WAITING = 3  # threads; whoever comes then is refused at once
PATIENCE = 10  # seconds until who waits is refused
RETRY_AFTER = 5  # seconds, for who was refused


class NoRoom(Exception):
    """There is no room now; the request has changed nothing and may be sent again."""


class Room:
    """Admits bodies by their sizes, and one piece of large work."""

    def __init__(self, size: int = BODIES, patience: float = PATIENCE, most_waiting: int = MOST_WAITING):
        self.size, self.patience, self.most_waiting = size, patience, most_waiting
        self._held, self._waiting = 0, 0
        self._changed = threading.Condition()
        self._work = threading.Lock()

    @contextmanager
    def body(self, size: int) -> Iterator[None]:
        """Hold a body of `size` bytes inside the context; NoRoom after the patience, or when too many wait."""
        with self._changed:
            if not self._fits(size):
                if self._waiting >= self.most_waiting:
                    raise NoRoom
                self._waiting += 1
                try:
                    if not self._changed.wait_for(lambda: self._fits(size), self.patience):
                        raise NoRoom
                finally:
                    self._waiting -= 1
            self._held += size
        try:
            yield
        finally:
            with self._changed:
                self._held -= size
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return not self._held or self._held + size <= self.size

    @contextmanager
    def work(self) -> Iterator[None]:
        """Store, unpack or copy something large inside the context; NoRoom after the patience. Not to be nested."""
        if not self._work.acquire(timeout=self.patience):
            raise NoRoom
        try:
            yield
        finally:
            self._work.release()


ROOM = Room()
