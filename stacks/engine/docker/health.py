"""Health checks, which containers and services have alike."""

from __future__ import annotations

from stacks.engine.docker.base import short_duration
from stacks.engine.valid import nanoseconds


def health_spec(inputs: dict) -> dict:
    """The daemon's form of a `healthcheck`."""
    result = {
        "Interval": nanoseconds(inputs.get("interval")),
        "Timeout": nanoseconds(inputs.get("timeout")),
        "StartPeriod": nanoseconds(inputs.get("startPeriod")),
        "Retries": inputs.get("retries") or 0,
    }
    if inputs.get("tests"):
        result["Test"] = inputs["tests"]
    return result


def health_outputs(spec: dict | None) -> dict | None:
    """Inverse of `health_spec`, as the provider records it."""
    if spec is None:
        return None
    return {
        "interval": short_duration(spec.get("Interval", 0)),
        "retries": spec.get("Retries", 0),
        "startPeriod": short_duration(spec.get("StartPeriod", 0)),
        "tests": spec.get("Test") or [],
        "timeout": short_duration(spec.get("Timeout", 0)),
    }
