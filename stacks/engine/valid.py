"""Values that a property may have: the provider's own checks, in its own words. Each gives the refusal or None."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], "str | None"]
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)")


def nanoseconds(duration: Any) -> int:
    """Nanoseconds of a Go duration; `""` is 0. ValueError on anything else that is none."""
    if not duration:
        return 0
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is no duration; wanted one like 10s, 1m30s or 500ms")
    pieces = re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", duration)
    total = sum(round(float(number) * _UNITS[unit]) for number, unit in pieces)
    return -total if duration.startswith("-") else total


def duration(value: str) -> str | None:
    """A duration that is not negative."""
    if not _DURATION.fullmatch(value):
        return f"'{value}' is not a valid duration"
    return f"'{value}' duration must not be negative" if nanoseconds(value) < 0 else None


def pattern(expression: str) -> Check:
    """A text that the regular expression finds something in."""
    return lambda value: None if re.search(expression, value) else f"'{value}' doesn't match the pattern '{expression}'"


def at_least(least: int) -> Check:
    """A whole number that is not lower."""
    return lambda value: f"'{value}' cannot be lower than {least}" if value < least else None


def ratio(value: str) -> str | None:
    """A number from 0 to 1, as text."""
    try:
        return None if 0 <= float(value) <= 1 else f"'{value}' has to be between 0.0 and 1.0"
    except ValueError:
        return f"'{value}' is not a float"


def base64_text(value: str) -> str | None:
    """Base64, which may be of several lines."""
    try:
        base64.b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return f"'{value}' is not base64 decodeable"
    return None


def absolute_path(value: str) -> str | None:
    """A path from the root of a file system."""
    return None if re.search(r"^[a-zA-Z]:[\\/]|^/", value) else f"'{value}' must be an absolute path"
