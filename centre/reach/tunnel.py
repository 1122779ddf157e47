"""Verified HTTPS to a service that publishes no port: an exec in its container carries bytes, TLS ends on both ends.

The whole conversation of a playbook's task is one exec and one connection, a request costs milliseconds, and nothing
secret is in any argument or readable to the container's other processes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from docker.errors import APIError

from centre.reach.runtime import Runtime, RuntimeFault, Unreachable, client_of, socket_of


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, body as text, headers with lower-case names."""

    request: str
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.text) if self.text else None

    def refuse(self, doing: str) -> None:
        """Raise RuntimeFault that says what was being done and what the service answered."""
        raise RuntimeFault(f"{doing}: {self.request} answered {self.status}: {self.text[:500]}")


class HttpsSession:
    """Keep-alive HTTPS to `service`:`port` from within its own container; its certificate must name the service."""

    def __init__(self, runtime: Runtime, service: str, port: int, root: str, timeout: float = 30):
        self._service = service
        self._headers: dict[str, str] = {}
        self._near, far = socket.socketpair()
        self._exec = _open(runtime, service, int(port))
        for source, target in ((self._exec, far), (far, self._exec)):
            threading.Thread(
                target=_unframe if source is self._exec else _pump, args=(source, target), daemon=True
            ).start()
        context = ssl.create_default_context(cadata=root)
        self._near.settimeout(timeout)
        try:
            secured = context.wrap_socket(self._near, server_hostname=service)
        except OSError as error:
            self.close()
            raise Unreachable(f"service {service}: port {port} does not speak verified TLS: {error}") from error
        self._connection = http.client.HTTPConnection(service, int(port), timeout=timeout)
        self._connection.sock = secured

    def __enter__(self) -> HttpsSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for end in (self._near, self._exec):
            with contextlib.suppress(OSError):
                end.close()

    def bearer(self, token: str) -> None:
        """Send this access token with every further request."""
        self.header("Authorization", f"Bearer {token}")

    def header(self, name: str, value: str) -> None:
        """Send this header with every further request."""
        self._headers[name] = value

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        form: dict[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        """One request with a JSON `body` or a `form`; a status from 400 on and not in `accept` is a RuntimeFault."""
        headers = dict(self._headers)
        data: str | bytes | None = None
        if form is not None:
            data, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        label = f"{self._service}: {method} {path}"
        try:
            self._connection.request(method, path, data, headers)
            reply = self._connection.getresponse()
            text = reply.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise RuntimeFault(f"{label}: {error or type(error).__name__}") from error
        answer = Answer(label, reply.status, text, {name.lower(): value for name, value in reply.getheaders()})
        if answer.status >= 400 and answer.status not in accept:
            answer.refuse("request")
        return answer


def _open(runtime: Runtime, service: str, port: int) -> socket.socket:
    """The raw stream of an exec that connects standard input and output with a local port."""
    container = runtime.container(service)
    api = client_of(container).api
    try:
        handle = api.exec_create(container.id, ["socat", "-", f"TCP:127.0.0.1:{port}"], stdin=True)["Id"]
        stream = api.exec_start(handle, socket=True)
    except (APIError, OSError) as error:
        raise Unreachable(f"service {service}: no way in to port {port}: {error}") from error
    raw = socket_of(stream)
    raw.settimeout(None)
    return raw


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _unframe(source: socket.socket, target: socket.socket) -> None:
    """Docker's multiplexed stream → plain bytes of standard output; what socat says on errors ends the stream."""
    reader = source.makefile("rb")
    with contextlib.suppress(OSError, struct.error):
        while header := reader.read(8):
            kind, size = struct.unpack(">BxxxL", header)
            data = reader.read(size)
            if kind == 1:
                target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
