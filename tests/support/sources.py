"""Many addresses of one machine, to be many people at the edge: the published port would show one address for all.

Needs root. The addresses are of the network that is kept for benchmarks (RFC 2544), on the loopback device only.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import subprocess
from pathlib import Path
from types import TracebackType

from centre.reach.runtime import Runtime
from inventory.names import Port
from inventory.register import Register

FIRST = ipaddress.ip_address("198.18.0.1")
GATEWAY = "docker_gwbridge"  # by which a task with published ports reaches its machine
SECONDS = 10


class Sources:
    """`count` addresses while it is open."""

    def __init__(self, register: Register, runtime: Runtime, root: str, count: int):
        self._register, self._root = register, root
        self.addresses = [str(FIRST + number) for number in range(count)]
        self._edge = edge_address(runtime, register)

    def __enter__(self) -> Sources:
        self._addresses("add")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._addresses("del")

    def _addresses(self, verb: str) -> None:
        batch = "".join(f"address {verb} {address}/32 dev lo\n" for address in self.addresses)
        subprocess.run(["ip", "-force", "-batch", "-"], input=batch, text=True, check=verb == "add", timeout=SECONDS)

    def open(self, host: str, source: str, certificate: Path | None = None) -> ssl.SSLSocket:
        """A connection to the edge from one of the addresses."""
        context = ssl.create_default_context(cadata=self._root)
        if certificate:
            context.load_cert_chain(certificate)
        raw = socket.create_connection((self._edge, int(Port.EDGE_HTTPS)), SECONDS, source_address=(source, 0))
        return context.wrap_socket(raw, server_hostname=host)

    def headers(self, host: str, path: str, length: int) -> bytes:
        """The head of a POST that announces so many bytes."""
        port = self._register.environment.ports.https
        name = host if port == 443 else f"{host}:{port}"
        return f"POST {path} HTTP/1.1\r\nHost: {name}\r\nContent-Length: {length}\r\n\r\n".encode()

    def request(
        self, host: str, path: str, source: str, method: str = "GET", body: bytes = b"", certificate: Path | None = None
    ) -> http.client.HTTPResponse:
        """One request on its own connection, its answer read."""
        connection = http.client.HTTPConnection(host, timeout=SECONDS)
        connection.sock = self.open(host, source, certificate)
        port = self._register.environment.ports.https
        headers = {"Host": host if port == 443 else f"{host}:{port}"}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


def edge_address(runtime: Runtime, register: Register) -> str:
    """The edge's own address on this machine's side."""
    edge = runtime.container(register.names.edge)
    sandbox = str(edge.attrs["NetworkSettings"]["SandboxID"])
    network = edge.client.networks.get(GATEWAY) if edge.client else None
    members = network.attrs["Containers"].values() if network else []
    for member in members:
        if member["Name"] == f"gateway_{sandbox[:12]}":
            return str(member["IPv4Address"]).partition("/")[0]
    raise RuntimeError(f"{register.names.edge} is not on {GATEWAY}; wanted: a task with published ports. Run `asp up`.")
