"""Counters of one service in Prometheus' text format, summed over its workers, at `/healthz/metrics`.

No label names a tenant or a person: what belongs to one municipality is in the logs and the database.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("asp_requests", "Requests answered", ["system", "method", "status"])
LATENCY = Histogram("asp_request_seconds", "Time from a request to its answer", ["system"], buckets=SECONDS)
MESSAGES = Counter("asp_messages", "Messages of the chain: handled or failed", ["system", "topic", "result"])
JOBS = Counter("asp_job_runs", "Runs of jobs: done or failed", ["system", "job", "result"])
RELAYED = Gauge("asp_relay_last_round", "When the relay last looked into tenants (Unix seconds)", ["system"],
                multiprocess_mode="max")  # fmt: skip


def text() -> tuple[bytes, str]:
    """All counters and their content type."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)
    else:  # one process: a test
        for metric in (REQUESTS, LATENCY, MESSAGES, JOBS, RELAYED):
            registry.register(metric)
    return generate_latest(registry), CONTENT_TYPE_LATEST


def worker_ended(pid: int) -> None:
    """Note that a worker has ended: its gauges no longer count, its counters still do."""
    if Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")).is_dir():
        multiprocess.mark_process_dead(pid)
