"""Deaths of workers in a row: when a new worker does not help, the whole container must be replaced."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

MOST, WITHIN = 5, 60  # deaths, seconds: a worker that runs out of memory now and then dies less often


class Deaths:
    """Counts deaths of workers; `clock` gives seconds."""

    def __init__(self, most: int = MOST, within: float = WITHIN, clock: Callable[[], float] = time.monotonic):
        self.within, self.clock = within, clock
        self._times: deque[float] = deque(maxlen=most)

    def another(self) -> bool:
        """Note one more; whether there were too many lately."""
        self._times.append(self.clock())
        return len(self._times) == self._times.maxlen and self._times[-1] - self._times[0] <= self.within
