"""Counters of one service in Prometheus' text format, summed over its workers, at `/healthz/metrics`.

No label names a tenant or a person: what belongs to one municipality is in the logs and the database. Labels come from
closed sets, so nobody outside can add a series; the files that workers share are allocated whole before the first
worker starts, so a worker that writes one never meets a full file system (that is a SIGBUS, not an exception).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the variable by which the client library knows it
FILES = ("counter", "histogram", "gauge_max")
FILE_BYTES = 64 * 1024  # of one file; `test_metrics.py` proves that every series there can be fits
METHODS = ("GET", "HEAD", "POST")
STATUSES = (200, 206, 301, 302, 304, 400, 403, 404, 405, 411, 413, 421, 422, 429, 500, 503)
OTHER = "other"
MOST_SERIES = 100  # of messages and jobs; topics come from other systems
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_slot = "main"  # of this process: files go by it and not by process id, so a worker goes on with its predecessor's
if FOLDER in os.environ:
    values.ValueClass = values.MultiProcessValue(lambda: _slot)


class Bounded:
    """A counter of at most `most` series: the next ones are counted together, under OTHER."""

    def __init__(self, counter: Counter, most: int):
        self.counter, self.most = counter, most
        self._series: set[tuple[str, ...]] = set()

    def labels(self, system: str, *labels: str) -> Any:
        if labels not in self._series:
            if len(self._series) >= self.most:
                labels = (OTHER,) * len(labels)
            self._series.add(labels)
        return self.counter.labels(system, *labels)


REQUESTS = Counter("asp_requests", "Requests answered", ["system", "method", "status"])
LATENCY = Histogram("asp_request_seconds", "Time from a request to its answer", ["system"], buckets=SECONDS)
MESSAGES = Bounded(
    Counter("asp_messages", "Messages of the chain: handled or failed", ["system", "topic", "result"]), MOST_SERIES
)
JOBS = Bounded(Counter("asp_job_runs", "Runs of jobs: done or failed", ["system", "job", "result"]), MOST_SERIES)
RELAYED = Gauge("asp_relay_last_round", "When the relay last looked into tenants (Unix seconds)", ["system"],
                multiprocess_mode="max")  # fmt: skip


def answered(system: str, method: str | None, status: int, seconds: float) -> None:
    """Count one answer."""
    REQUESTS.labels(
        system, method if method in METHODS else OTHER, status if status in STATUSES else OTHER
    ).inc()  # fmt: skip
    LATENCY.labels(system).observe(seconds)


def text() -> tuple[bytes, str]:
    """All counters and their content type."""
    registry = CollectorRegistry()
    if FOLDER in os.environ:
        multiprocess.MultiProcessCollector(registry)
    else:  # one process: a test
        for metric in (REQUESTS, LATENCY, MESSAGES.counter, JOBS.counter, RELAYED):
            registry.register(metric)
    return generate_latest(registry), CONTENT_TYPE_LATEST


def allocate(folder: Path, workers: int) -> None:
    """Give each worker's files all their bytes; OSError when the file system has not so many."""
    for name in FILES:
        for slot in range(workers):
            with (folder / f"{name}_{slot}.db").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, FILE_BYTES)


def serve_as(slot: int) -> None:
    """Count as this worker from now on; no two processes may at the same time."""
    global _slot
    _slot = str(slot)
