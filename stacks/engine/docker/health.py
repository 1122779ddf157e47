"""Health checks, which containers and services have alike."""

from __future__ import annotations

from .base import nanoseconds, short_duration


def health_spec(given: dict) -> dict:
    """The daemon's form of a ``healthcheck``."""
    result = {
        "Interval": nanoseconds(given.get("interval")),
        "Timeout": nanoseconds(given.get("timeout")),
        "StartPeriod": nanoseconds(given.get("startPeriod")),
        "Retries": given.get("retries") or 0,
    }
    if given.get("tests"):
        result["Test"] = given["tests"]
    return result


def health_outputs(spec: dict | None) -> dict | None:
    """Inverse of :func:`health_spec`, as the provider records it."""
    if spec is None:
        return None
    return {
        "interval": short_duration(spec.get("Interval", 0)),
        "retries": spec.get("Retries", 0),
        "startPeriod": short_duration(spec.get("StartPeriod", 0)),
        "tests": spec.get("Test") or [],
        "timeout": short_duration(spec.get("Timeout", 0)),
    }
