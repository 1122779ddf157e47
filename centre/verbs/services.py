"""An environment's services and containers, found by labels and names, whatever state says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.services import Service

from centre.reach.runtime import Runtime
from centre.verbs.progress import StepFailed

LIMIT = 120  # seconds for tasks to stop and let go of networks and volumes
SERVICE = "com.docker.swarm.service.name"  # label of every task's container


@dataclass(frozen=True)
class Health:
    """A service's tasks: how many run of how many, and the states of those that should."""

    name: str
    running: int
    replicas: int
    states: list[str]

    def __str__(self) -> str:
        if not self.replicas:
            return "stopped"
        count = f"running {self.running}/{self.replicas}"
        return count if self.running == self.replicas else f"{count} ({', '.join(self.states) or 'no task'})"


def services(runtime: Runtime) -> list[Service]:
    """The environment's services by name."""
    label = f"asp.env={runtime.register.environment.id}"
    return sorted(runtime.client.services.list(filters={"label": label}), key=lambda service: str(service.name))


def health(service: Service) -> Health:
    """Ask the daemon for a service's tasks; one that starts runs once its health check has passed."""
    attributes: dict[str, Any] = service.attrs
    replicas = attributes["Spec"]["Mode"].get("Replicated", {}).get("Replicas", 1)
    states = [task["Status"]["State"] for task in service.tasks(filters={"desired-state": "running"})]
    return Health(str(service.name), states.count("running"), replicas, states)


def containers(runtime: Runtime) -> list[Container]:
    """Containers of the environment's services, and of services of its name whose label is gone."""
    names = {service.name for service in services(runtime)}
    prefix = runtime.register.names.daemon_name("")
    running = [
        container
        for daemon in runtime.daemons()
        for container in daemon.containers.list(filters={"label": SERVICE}, sparse=True)
    ]
    return [c for c in running if (name := c.attrs["Labels"][SERVICE]) in names or name.startswith(prefix)]


def kill(runtime: Runtime) -> list[Container]:
    """Kill what still runs, and what that was: a database that ends in order archives for a minute what is to go."""
    running = containers(runtime)
    for container in running:
        with contextlib.suppress(APIError):  # it ended meanwhile
            container.kill()
    return running


def remove(objects: Sequence[Any]) -> str:
    for item in objects:
        with contextlib.suppress(NotFound):
            item.remove()
    return f"{len(objects)} removed" if objects else ""


def remove_when_free(find: Callable[[], Sequence[Any]]) -> str:
    """Remove what a stopping task may hold for a moment."""
    count, last = len(find()), ""

    def attempt() -> bool:
        nonlocal last
        for item in find():
            try:
                item.remove()
            except NotFound:
                continue
            except APIError as error:
                last = error.explanation or str(error)
        return not find()

    until(attempt, "objects to be let go", lambda: last)
    return f"{count} removed" if count else ""


def until(condition: Callable[[], bool], label: str, last: Callable[[], str] = lambda: "") -> None:
    """Wait until `condition` holds; StepFailed after LIMIT seconds with the last state."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise StepFailed(f"waited {LIMIT} s for {label}; last seen: {last() or 'still there'}")
        time.sleep(0.5)
