"""The few calls of the Docker engine that fencing needs, over the gate's socket. Standard library only.

What is added here must be let through by `asp_failover.allowed` as well.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

SOCKET = "/run/engine/engine.sock"  # the gate's, in a volume that both have
TIMEOUT = 5.0
SERVICE_LABEL = "com.docker.swarm.service.name"
PROCESSES = "-eo%20pid,stat"  # of `ps`: each process's number and state
LISTED_STATES = ["running", "ready", "accepted"]  # of tasks that should run


class EngineFault(Exception):
    """The engine does not answer or refuses; the message says what was asked and what it said."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("engine", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self._path)


class Engine:
    """The engine of this machine."""

    def __init__(self, path: str = SOCKET):
        self._path = path

    def call(self, method: str, path: str, body: Any = None, missing: bool = False) -> Any:
        """Decoded answer; with `missing`, None where the thing is not there (404) or not in that state (409)."""
        status, content = self.raw(method, path, body)
        text = content.decode()
        if missing and status in (404, 409):
            return None
        if status >= 400:
            raise EngineFault(f"{method} {path}: {status} {text.strip()[:300]}")
        return json.loads(text) if text.strip() else {}

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and content of an answer, whatever they are."""
        connection = _Connection(self._path)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise EngineFault(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()

    def node(self) -> str:
        """Id of this machine in the swarm."""
        return self.call("GET", "/info")["Swarm"]["NodeID"]

    def containers(self, service: str) -> list[dict[str, Any]]:
        """Containers of a service on this machine, whatever their state (`Id`, `State`, `NetworkSettings`)."""
        filters = quote(json.dumps({"label": [f"{SERVICE_LABEL}={service}"]}))
        return self.call("GET", f"/containers/json?all=1&filters={filters}")

    def inspect(self, container: str) -> dict[str, Any] | None:
        """A container's state; None when it does not exist any more."""
        return self.call("GET", f"/containers/{container}/json", missing=True)

    def halted(self, container: str) -> str | None:
        """What the engine shows of why a running container is silent: no network, or its processes stopped; or None."""
        inspected = self.inspect(container) or {}
        networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
        if not networks:
            return "it has no network"
        table = self.call("GET", f"/containers/{container}/top?ps_args={PROCESSES}", missing=True) or {}
        states = [row[-1] for row in table.get("Processes") or []]
        if sum(state.startswith("T") for state in states) > len(states) / 2:
            return "its processes are stopped"
        return None

    def kill(self, container: str) -> None:
        """SIGKILL, which ends frozen and stopped processes as well; nothing if it runs no more."""
        self.call("POST", f"/containers/{container}/kill?signal=KILL", missing=True)

    def cut(self, container: str, network: str) -> None:
        """Take a container off a network by force; nothing if it is not there."""
        body = {"Container": container, "Force": True}
        try:
            self.call("POST", f"/networks/{network}/disconnect", body, missing=True)
        except EngineFault as fault:
            if "is not connected to" not in str(fault):
                raise

    def endpoints(self, network: str) -> set[str]:
        """Ids of the containers that a network reaches on this machine."""
        answer = self.call("GET", f"/networks/{network}", missing=True) or {}
        return set(answer.get("Containers") or {})

    def service(self, name: str) -> dict[str, Any]:
        return self.call("GET", f"/services/{quote(name)}")

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """A service's tasks that should run."""
        filters = quote(json.dumps({"service": [service], "desired-state": LISTED_STATES}))
        return self.call("GET", f"/tasks?filters={filters}")

    def scale(self, name: str, replicas: int) -> int:
        """Set how many tasks a service has; how many it had. A change by another in between is a fault."""
        service = self.service(name)
        spec, before = service["Spec"], service["Spec"]["Mode"]["Replicated"].get("Replicas", 0)
        if before != replicas:
            spec["Mode"]["Replicated"]["Replicas"] = replicas
            version = service["Version"]["Index"]
            self.call("POST", f"/services/{service['ID']}/update?version={version}", spec)
        return before
