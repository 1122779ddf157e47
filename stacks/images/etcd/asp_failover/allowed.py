"""Which calls of the engine the gate lets through: those that fencing needs, about its own cell, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asp_failover.engine import LISTED_STATES, PROCESSES, SERVICE_LABEL, Engine

ID = "[0-9a-z]{12,64}"

Query = dict[str, str]


class Refused(Exception):
    """A call that is none of the fencer's; the message says why."""


class Rules:
    """What may be asked of the engine. `nodes`: the cell's services that may be fenced; `network`: theirs."""

    def __init__(self, nodes: list[str], network: str, engine: Engine):
        self._nodes, self._network, self._engine = frozenset(nodes), network, engine
        self._calls: list[tuple[str, str, Callable[..., tuple[int, bytes]]]] = [
            ("GET", r"/info", self._info),
            ("GET", r"/containers/json", self._containers),
            ("GET", rf"/containers/({ID})/json", self._inspect),
            ("GET", rf"/containers/({ID})/top", self._top),
            ("POST", rf"/containers/({ID})/kill", self._kill),
            ("GET", rf"/networks/({ID})", self._endpoints),
            ("POST", rf"/networks/({ID})/disconnect", self._disconnect),
            ("GET", r"/services/([0-9a-z-]{1,64})", self._service),
            ("POST", rf"/services/({ID})/update", self._scale),
            ("GET", r"/tasks", self._tasks),
        ]

    def answer(self, method: str, target: str, body: Any) -> tuple[int, bytes]:
        """The engine's answer to a call that is allowed; Refused for any other."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        for verb, pattern, call in self._calls:
            if verb == method and (match := re.fullmatch(pattern, parts.path)):
                return call(target, query, body, *match.groups())
        raise Refused(f"{method} {parts.path[:100]} is no call of the fencer's")

    def _info(self, target: str, query: Query, body: Any) -> tuple[int, bytes]:
        return 200, json.dumps({"Swarm": {"NodeID": self._engine.node()}}).encode()

    def _containers(self, target: str, query: Query, body: Any) -> tuple[int, bytes]:
        labels = _filters(query).get("label")
        if labels not in [[f"{SERVICE_LABEL}={node}"] for node in self._nodes]:
            raise Refused(f"containers with labels {labels}: wanted those of one of {self._known}")
        return self._engine.raw("GET", target)

    def _inspect(self, target: str, query: Query, body: Any, container: str) -> tuple[int, bytes]:
        self._own(container)
        return self._engine.raw("GET", f"/containers/{container}/json")

    def _top(self, target: str, query: Query, body: Any, container: str) -> tuple[int, bytes]:
        self._own(container)
        return self._engine.raw("GET", f"/containers/{container}/top?ps_args={PROCESSES}")

    def _kill(self, target: str, query: Query, body: Any, container: str) -> tuple[int, bytes]:
        self._own(container)
        return self._engine.raw("POST", f"/containers/{container}/kill?signal=KILL")

    def _endpoints(self, target: str, query: Query, body: Any, network: str) -> tuple[int, bytes]:
        return self._engine.raw("GET", f"/networks/{self._own_network(network)}")

    def _disconnect(self, target: str, query: Query, body: Any, network: str) -> tuple[int, bytes]:
        container = str((body or {}).get("Container", ""))
        if not re.fullmatch(ID, container):
            raise Refused(f"disconnecting {container[:100]!r}: wanted a container's id")
        self._own(container)
        cut = {"Container": container, "Force": True}
        return self._engine.raw("POST", f"/networks/{self._own_network(network)}/disconnect", cut)

    def _service(self, target: str, query: Query, body: Any, name: str) -> tuple[int, bytes]:
        self._own_service(name)
        return self._engine.raw("GET", f"/services/{name}")

    def _scale(self, target: str, query: Query, body: Any, service: str) -> tuple[int, bytes]:
        """Only how many tasks a node has may change: the rest of what is sent must be what the service is already."""
        current = self._engine.call("GET", f"/services/{service}")
        self._own_service(current["Spec"]["Name"])
        try:
            replicas = body["Mode"]["Replicated"]["Replicas"]
            body["Mode"]["Replicated"]["Replicas"] = current["Spec"]["Mode"]["Replicated"].get("Replicas", 0)
        except (KeyError, TypeError) as error:
            raise Refused(f"service {service}: wanted its specification with another number of replicas") from error
        current["Spec"]["Mode"]["Replicated"].setdefault("Replicas", 0)
        if body != current["Spec"] or type(replicas) is not int or replicas not in (0, 1):
            raise Refused(f"service {service}: more would change than its replicas to 0 or 1")
        body["Mode"]["Replicated"]["Replicas"] = replicas
        version = query.get("version", "")
        if set(query) != {"version"} or not version.isascii() or not version.isdigit():
            raise Refused(f"service {service}: seen the query {sorted(query)}, wanted a version in figures alone")
        return self._engine.raw("POST", f"/services/{service}/update?version={version}", body)

    def _tasks(self, target: str, query: Query, body: Any) -> tuple[int, bytes]:
        filters = _filters(query)
        services = filters.pop("service", None)
        if services not in [[node] for node in self._nodes] or filters != {"desired-state": LISTED_STATES}:
            raise Refused(f"tasks of {services}: wanted those of one of {self._known}")
        return self._engine.raw("GET", target)

    @property
    def _known(self) -> str:
        return ", ".join(sorted(self._nodes))

    def _own(self, container: str) -> None:
        """Refused for a container of anybody else; one that is not there any more is nobody's, and harms nobody."""
        inspected = self._engine.inspect(container)
        service = ((inspected or {}).get("Config", {}).get("Labels") or {}).get(SERVICE_LABEL)
        if inspected is not None and service not in self._nodes:
            raise Refused(f"container {container[:12]} of {service or 'no service'}: wanted one of {self._known}")

    def _own_service(self, name: str) -> None:
        if name not in self._nodes:
            raise Refused(f"service {name}: wanted one of {self._known}")

    def _own_network(self, network: str) -> str:
        name = (self._engine.call("GET", f"/networks/{network}", missing=True) or {}).get("Name", self._network)
        if name != self._network:
            raise Refused(f"network {name}: wanted {self._network}")
        return network


def _filters(query: Query) -> dict[str, Any]:
    try:
        filters = json.loads(query.get("filters", ""))
    except ValueError as error:
        raise Refused(f"filters {query.get('filters', '')[:100]!r}: wanted JSON") from error
    if not isinstance(filters, dict):
        raise Refused("filters: wanted a JSON object")
    return filters
