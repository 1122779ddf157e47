"""Waiting for something to become true, with a deadline and the last thing seen: no test sleeps blindly."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# One multiplier for every deadline: a slower machine sets ASP_TEST_PATIENCE=2 instead of editing tests.
PATIENCE = float(os.environ.get("ASP_TEST_PATIENCE", "1"))


def poll(probe: Callable[[], T], accept: Callable[[T], bool], seconds: float, label: str, pause: float = 0.3) -> T:
    """The first value of `probe` that `accept` takes; AssertionError naming the last one after `seconds`."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = probe()
        if accept(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{label}: not within {seconds * PATIENCE:.0f} s; last seen: {value!r}")
        time.sleep(pause)
