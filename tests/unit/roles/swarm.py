"""A Swarm as its daemons tell it, for the modules that run on machines."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.modules import centre_module

EngineFault = centre_module("swarm_nodes").EngineFault


def node(key: str, machine: str, state: str = "ready", role: str = "manager", **labels: str) -> dict[str, Any]:
    """A node as `GET /nodes` tells it."""
    spec = {
        "Role": role,
        "Availability": "active",
        "Labels": {**({"asp.machine": machine} if machine else {}), **labels},
    }
    manager = {"ManagerStatus": {"Addr": "10.0.0.1:2377"}} if role == "manager" else {}
    return {"ID": key, "Version": {"Index": 7}, "Spec": spec, "Status": {"State": state}, **manager}


class Daemon:
    """Answers as a manager's daemon, and remembers what it was asked to change."""

    def __init__(self, *nodes: dict[str, Any], info: dict[str, Any] | None = None, tasks: list[str] | None = None):
        self.nodes = {entry["ID"]: copy.deepcopy(entry) for entry in nodes}
        self.info = {"Swarm": info or {}}
        self.tasks = tasks or []
        self.calls: list[tuple[str, str, Any]] = []
        self.up, self.conflicts = True, 0

    def answers(self) -> bool:
        return self.up

    def get(self, path: str) -> Any:
        if path == "/info":
            return copy.deepcopy(self.info)
        if path == "/swarm":
            return {"JoinTokens": {"Manager": "token-m", "Worker": "token-w"}}
        if path.startswith("/tasks"):
            return [{"ID": f"task{index}", "Status": {"State": state}} for index, state in enumerate(self.tasks)]
        if path == "/nodes":
            return copy.deepcopy(list(self.nodes.values()))
        return copy.deepcopy(self.nodes[path.rpartition("/")[2]])

    def post(self, path: str, body: Any = None) -> None:
        parts = urlsplit(path)
        if parts.path.endswith("/update") and self.conflicts:
            self.conflicts -= 1
            raise EngineFault("Docker: POST answered 500: rpc error: update out of sequence")
        self.calls.append(("POST", parts.path, body))
        if parts.path.startswith("/nodes/"):
            assert parse_qs(parts.query)["version"] == ["7"]
            entry = self.nodes[parts.path.split("/")[2]]
            entry["Spec"] = copy.deepcopy(body)
            if body["Role"] == "worker":
                entry.pop("ManagerStatus", None)
            if body["Availability"] == "drain":
                self.tasks = ["shutdown" for _ in self.tasks]
        elif parts.path in ("/swarm/init", "/swarm/join"):
            self.info["Swarm"] = {"LocalNodeState": "active", "NodeID": "n9", "NodeAddr": body["AdvertiseAddr"]}
        elif parts.path == "/swarm/leave":
            self.info["Swarm"] = {"LocalNodeState": "inactive"}

    def delete(self, path: str) -> None:
        self.calls.append(("DELETE", path, None))
        del self.nodes[urlsplit(path).path.rpartition("/")[2]]
