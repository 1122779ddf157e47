"""Which parts a system has, without importing it: its models are for its own server only."""

from __future__ import annotations

import importlib.util

FEED, IMPORTING = "feed", "importing"  # modules that several systems have


def has(system: str, part: str) -> bool:
    """Whether there is a `systems/<system>/<part>.py`."""
    return importlib.util.find_spec(f"systems.{system}.{part}") is not None


def delivers(system: str) -> bool:
    """Whether a system sends a nightly feed to the warehouse."""
    return has(system, FEED)


def imports(system: str) -> bool:
    """Whether a system takes over earlier data."""
    return has(system, IMPORTING)
