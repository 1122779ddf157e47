"""HTTPS to the edge exactly as an attacker words it: any bytes, any server name, any certificate, at any speed."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS = 8.0
ADDRESS = "127.0.0.1"
LARGEST_ANSWER = 2 * 2**20  # bytes that are read of an answer


@dataclass(frozen=True)
class Answer:
    """Status 0: the connection ended, or stayed silent, without an answer. Headers in their order, names lower-case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str = ""
    seconds: float = 0.0

    def header(self, name: str) -> str:
        """All values of a header, joined; empty without one."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def refusal(self) -> str:
        """The edge's own code of a refusal."""
        return self.header("asp-edge-refusal")

    def __str__(self) -> str:
        words = f"{self.status} {self.refusal or self.header('location') or self.error}".strip()
        return f"{words} {self.text[:160]!r}" if self.status else f"no answer ({self.error})"


def context(certificate: Path | None = None) -> ssl.SSLContext:
    """A client that believes any server: what is shown is judged by attacks of its own."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    if certificate:
        client.load_cert_chain(certificate)
    return client


@contextlib.contextmanager
def connection(
    port: int, name: str | None, certificate: Path | None = None, seconds: float = SECONDS
) -> Iterator[ssl.SSLSocket]:
    """A TLS connection with this server name (None: without one)."""
    with (
        socket.create_connection((ADDRESS, port), seconds) as raw,
        context(certificate).wrap_socket(raw, server_hostname=name) as secured,
    ):
        secured.settimeout(seconds)
        yield secured


def read(stream: socket.socket, method: str = "GET") -> Answer:
    """The next answer of a connection."""
    start = time.monotonic()
    answer = http.client.HTTPResponse(stream, method=method)
    try:
        answer.begin()
        body = answer.read(LARGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, error=f"{type(error).__name__} {error}", seconds=time.monotonic() - start)
    headers = tuple((name.lower(), value) for name, value in answer.getheaders())
    return Answer(answer.status, headers, body, seconds=time.monotonic() - start)


def send(
    port: int,
    name: str | None,
    data: bytes,
    certificate: Path | None = None,
    seconds: float = SECONDS,
    method: str = "GET",
) -> Answer:
    """The answer to these bytes on a connection of their own."""
    try:
        with connection(port, name, certificate, seconds) as stream:
            # The other side may answer and close before all is sent: its answer counts.
            with contextlib.suppress(OSError):
                stream.sendall(data)
            return read(stream, method)
    except OSError as error:
        return Answer(0, error=f"{type(error).__name__} {error}")
