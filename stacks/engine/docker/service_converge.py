"""Waiting for a service's tasks, and saying why they do not run."""

from __future__ import annotations

import time
from collections.abc import Callable

from stacks.engine.docker.base import go_duration
from stacks.engine.docker.daemon import Daemon, DaemonError, filters
from stacks.engine.valid import nanoseconds

UPDATE_START = 10.0  # seconds within which Swarm reports that it has begun to replace tasks
POLL = 0.25  # seconds between looks at the tasks
LOG_LINES = 10
_FAILED_UPDATE = {
    "rollback_completed": "service rollback completed",
    "paused": "service update paused",
    "rollback_paused": "service rollback paused",
}


class Convergence:
    """A wait with the program's `convergeConfig`; both waits return None or the reason of the failure."""

    def __init__(self, daemon: Daemon, identity: str, config: dict, timeout: float | None):
        self._daemon = daemon
        self._identity = identity
        limit = nanoseconds(config.get("timeout"))
        self._limit = min(limit / 1e9, timeout) if timeout else limit / 1e9
        self._limit_text = go_duration(limit / 1e9)
        self._delay = nanoseconds(config.get("delay")) / 1e9
        self._since: float | None = None  # when the tasks were first seen running, of those that still run

    def created(self) -> str | None:
        """Wait until as many tasks run as there are replicas."""
        return self._wait(self._running)

    def updated(self, before: dict) -> str | None:
        """Wait until the update that followed `before` (the inspected service) is completed."""
        began = time.monotonic()
        return self._wait(lambda: self._update_state(before, time.monotonic() - began))

    def _wait(self, probe: Callable[[], bool | str]) -> str | None:
        deadline = time.monotonic() + self._limit
        while True:
            answer = probe()
            if answer is True:
                return None
            if answer:
                return answer
            if time.monotonic() >= deadline:
                return f"Service with ID ({self._identity}) did not converge after {self._limit_text}"
            time.sleep(POLL)

    def _update_state(self, before: dict, seconds: float) -> bool | str:
        service = self._daemon.get(f"/services/{self._identity}")
        status = service.get("UpdateStatus") or {}
        if status.get("StartedAt") and status["StartedAt"] != (before.get("UpdateStatus") or {}).get("StartedAt"):
            state = status.get("State")
            if state == "completed":
                return True
            if state in _FAILED_UPDATE:
                return f"{_FAILED_UPDATE[state]}: {status.get('Message', '')}"
            return False
        if _restarts_tasks(before["Spec"], service["Spec"]) and seconds < UPDATE_START:
            return False
        # No update of tasks was needed: what counts is that all run by the new spec.
        return self._running(service)

    def _running(self, service: dict | None = None) -> bool | str:
        service = service or self._daemon.get(f"/services/{self._identity}")
        replicas = (service["Spec"]["Mode"].get("Replicated") or {}).get("Replicas")
        if replicas is None:
            return "no replica count"
        tasks = self._daemon.get("/tasks", params=filters(service=self._identity, desired_state="running"))
        running = {
            task.get("Slot")
            for task in tasks
            if task["Status"]["State"] == "running" and _same_template(task["Spec"], service["Spec"]["TaskTemplate"])
        }
        stale = [task for task in tasks if not _same_template(task["Spec"], service["Spec"]["TaskTemplate"])]
        return self._held_long_enough(len(running) == replicas and not stale, service)

    def _held_long_enough(self, complete: bool, service: dict) -> bool:
        """Whether the tasks run and, without a health check to vouch for them, have run for the program's delay."""
        if not complete:
            self._since = None
            return False
        checked = ((service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}).get("Healthcheck") or {}).get("Test")
        self._since = self._since or time.monotonic()
        return bool(checked) or time.monotonic() - self._since >= self._delay


def _same_template(task: dict, template: dict) -> bool:
    # A task's copy of the template lacks the runtime (seen on Docker 20.10).
    return all(task.get(key) == template.get(key) for key in {*task, *template} - {"Runtime"})


def _restarts_tasks(before: dict, after: dict) -> bool:
    """Whether Swarm will replace tasks for this change of a service."""
    keys = ("TaskTemplate", "EndpointSpec")
    replicas = (after["Mode"].get("Replicated") or {}).get("Replicas")
    return bool(replicas) and any(before.get(key) != after.get(key) for key in keys)


def task_report(daemon: Daemon, identity: str) -> str:
    """The newest failing task's state, error and last log lines, as lines to append to an error."""
    try:
        tasks = daemon.get("/tasks", params=filters(service=identity))
    except DaemonError:
        return ""
    tasks.sort(key=lambda task: task["Status"].get("Timestamp", ""), reverse=True)
    for task in tasks:
        status = task["Status"]
        if status["State"] in ("running", "shutdown") and not status.get("Err"):
            continue
        lines = [f"\nLast task: {status['State']}: {status.get('Err') or status.get('Message', '')}"]
        container = status.get("ContainerStatus", {}).get("ContainerID")
        if container:
            lines += [f"  {line}" for line in container_log(daemon, container)]
        return "\n".join(lines)
    return ""


def container_log(daemon: Daemon, container: str) -> list[str]:
    """Last lines of a container's output; empty when it is gone."""
    try:
        return container_output(daemon, container, LOG_LINES).splitlines()[-LOG_LINES:]
    except DaemonError:
        return []


def container_output(daemon: Daemon, container: str, tail: int | str = "all") -> str:
    """Output of a container, both streams as they came."""
    params = {"stdout": True, "stderr": True, "tail": tail}
    raw = daemon.request("GET", f"/containers/{container}/logs", params=params, stream=True).content
    return unframe(raw).decode("utf-8", "replace")


def unframe(raw: bytes) -> bytes:
    """Strip the 8-byte stream headers of a log without terminal."""
    result, position = b"", 0
    while position + 8 <= len(raw) and raw[position] in (0, 1, 2) and raw[position + 1 : position + 4] == b"\0\0\0":
        size = int.from_bytes(raw[position + 4 : position + 8], "big")
        result += raw[position + 8 : position + 8 + size]
        position += 8 + size
    return result if position else raw
