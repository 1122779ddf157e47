"""Stand-ins for the Docker daemons of several machines: what a Swarm says of itself, and execs that echo."""

from __future__ import annotations

import contextlib
import json
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from centre.reach import link

SERVICE = "com.docker.swarm.service.name"


@dataclass
class Daemon:
    """One machine's daemon. `nodes`: label by node id, as this manager has them; `tasks`: node ids by service.

    `containers`: health by service. `pause`: seconds before every answer; `requests`: method and path of each.
    An exec with input echoes it, another one prints `output`; both end with `code`. `inputs`: execs that have one.
    """

    node: str
    nodes: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, list[str]] = field(default_factory=dict)
    containers: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    mounts: dict[str, list[str]] = field(default_factory=dict)
    manages: bool = True
    pause: float = 0
    code: int = 0
    output: bytes = b""
    inputs: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, filters: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        match path.strip("/").split("/"):
            case ["version"]:
                return 200, {"ApiVersion": "1.41"}
            case ["_ping"]:
                return 200, "OK"
            case ["info"]:
                state = "active" if self.node else "inactive"
                return 200, {"Swarm": {"NodeID": self.node, "LocalNodeState": state}}
            case ["nodes" | "services" | "tasks"] if not self.manages:
                return 503, {"message": "This node is not a swarm manager."}
            case ["nodes"]:
                return 200, [
                    {"ID": node, "Spec": {"Labels": {"asp.machine": label} if label else {}}}
                    for node, label in self.nodes.items()
                ]
            case ["services"]:
                return 200, [
                    {"Spec": {"Name": name, "TaskTemplate": {"ContainerSpec": {
                        "Mounts": [{"Source": source} for source in sources]}}}}
                    for name, sources in self.mounts.items()
                ]  # fmt: skip
            case ["tasks"]:
                (service,) = filters["service"]
                if service not in self.tasks:
                    return 404, {"message": f"service {service} not found"}
                return 200, [{"NodeID": node} for node in self.tasks[service]]
            case ["volumes"]:
                return 200, {"Volumes": [{"Name": name} for name in self.volumes]}
            case ["containers", "json"]:
                labels = {label.partition("=")[2] for label in filters["label"]}
                return 200, [{"Id": f"{self.node}-{name}"} for name in self.containers if name in labels]
            case ["containers", name, "json"]:
                health = self.containers[name.removeprefix(f"{self.node}-")]
                return 200, {"Id": name, "Name": f"/{name}", "State": {"Health": {"Status": health}}}
            case ["containers", name, "exec"]:
                handle = f"exec-{len(self.requests)}"
                if body["AttachStdin"]:
                    self.inputs.add(handle)
                return 201, {"Id": handle}
            case ["exec", _, "json"]:
                return 200, {"ExitCode": self.code}
        return 404, {"message": f"no such thing: {method} {path}"}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    daemon: Daemon

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def _respond(self) -> None:
        daemon = self.server.daemon
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        path = address.path[len("/v1.41") :] if address.path.startswith("/v1.41/") else address.path
        daemon.requests.append(f"{self.command} {path}")
        time.sleep(daemon.pause)
        if path.endswith("/start"):
            self._hijack(path.split("/")[2])
            return
        filters = json.loads(parse_qs(address.query).get("filters", ["{}"])[0])
        status, answer = daemon.answer(self.command, path, filters, json.loads(body or b"{}"))
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_HEAD = _respond

    def _hijack(self, handle: str) -> None:
        """The first words come in one piece with the head; then the input, once it has ended."""
        self.close_connection = True
        head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        self.connection.sendall(head + _frame(1, f"{self.server.daemon.node}: ".encode()))
        text = self.rfile.read() if handle in self.server.daemon.inputs else self.server.daemon.output
        with contextlib.suppress(OSError):
            self.connection.sendall(_frame(1, text) + _frame(2, b"done"))


def _frame(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(data)) + data


@contextmanager
def listening(daemon: Daemon, path: Path) -> Iterator[str]:
    """A daemon that answers at a socket's path."""
    with _Server(str(path), _Handler) as server:
        server.daemon = daemon
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield str(path)
        server.shutdown()


def close_links() -> None:
    """End this process's connections to machines, which outside tests end with it."""
    for item in list(link._links.values()):
        for client in [*item._open, *item._doubtful]:
            client.close()
    link._forget()
