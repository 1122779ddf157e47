"""Waiting for something to become true, with a deadline and the last thing seen: no test sleeps blindly."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# One multiplier for every deadline: a slower machine sets ASP_TEST_PATIENCE=2 instead of editing tests.
PATIENCE = float(os.environ.get("ASP_TEST_PATIENCE", "1"))


def poll(probe: Callable[[], T], wanted: Callable[[T], bool], seconds: float, what: str, pause: float = 0.3) -> T:
    """The first value of `probe` that is `wanted`; AssertionError naming the last one after `seconds`."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        seen = probe()
        if wanted(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds * PATIENCE:.0f} s; last seen: {seen!r}")
        time.sleep(pause)
