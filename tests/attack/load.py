"""Attacks on availability: many connections of one source, and a legitimate user of another who is measured beside.

The attacker's connections come from this machine; the user's come from inside the edge's own container, so that limits
by source count them apart. Every attack ends by itself after `SECONDS`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from inventory.names import Port
from tests.attack import wire
from tests.attack.registry import Untried
from tests.attack.target import Target

SECONDS = 12  # of an attack
GOOD = 0.99  # share of the user's requests that must be answered as ever
SLOW = 3.0  # seconds after which an answer is no good one: no page takes a tenth of it

USER = """
import json, socket, ssl, time
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
answers, end = [], time.monotonic() + {seconds}
while time.monotonic() < end:
    begun = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", {port}), 5) as raw:
            with context.wrap_socket(raw, server_hostname={host!r}) as stream:
                stream.settimeout(5)
                stream.sendall({request!r})
                status = int((stream.recv(64) or b"HTTP/1.1 000").split()[1])
    except OSError as error:
        status = 0
    answers.append([status, round(time.monotonic() - begun, 2)])
    time.sleep({pause})
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Service:
    """What the user measured: (status, seconds) of each request."""

    answers: list[tuple[int, float]]

    @property
    def good(self) -> float:
        """Share of requests that were answered well and in time."""
        fine = [status for status, seconds in self.answers if status in (200, 301, 302) and seconds < SLOW]
        return len(fine) / len(self.answers) if self.answers else 0.0

    def __str__(self) -> str:
        worst = max((seconds for _, seconds in self.answers), default=0)
        statuses = sorted({status for status, _ in self.answers})
        return f"{self.good:.0%} of {len(self.answers)} good, slowest {worst} s, statuses {statuses}"


def user(target: Target, host: str, path: str, seconds: float = SECONDS, pause: float = 0.25) -> Service:
    """A legitimate user of a host for some seconds."""
    name = host if target.port == 443 else f"{host}:{target.port}"
    request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
    program = USER.format(seconds=seconds, port=int(Port.EDGE_HTTPS), host=host, request=request, pause=pause)
    result = target.runtime.run(target.register.names.edge, ["python3", "-"], stdin=program, timeout=seconds + 30)
    if result.code:
        raise Untried(f"the user in the edge's container: {result.err[-300:]}")
    return Service([(status, took) for status, took in json.loads(result.out)])


@contextlib.contextmanager
def beside(target: Target, host: str, path: str, seconds: float = SECONDS) -> Iterator[Callable[[], Service]]:
    """The user at work for the time of a block; what is yielded waits for their measurements."""
    calm = user(target, host, path, 1.5)
    if calm.good < 1:
        raise Untried(f"the user before the attack: {calm}")
    with ThreadPoolExecutor(1) as pool:
        measurement = pool.submit(user, target, host, path, seconds)
        time.sleep(1)  # until the user is at work
        yield measurement.result


class Crowd:
    """Connections that stay open and trickle; closed at the end in any case."""

    def __init__(self, target: Target):
        self._target, self.refused = target, 0
        self._open: list[socket.socket] = []
        self._stop = threading.Event()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for stream in self._open:
            with contextlib.suppress(OSError):
                stream.close()

    def add(self, number: int, host: str, head: bytes, certificate: Path | None = None, tls: bool = True) -> None:
        """So many connections that have each sent `head`."""
        for _ in range(number):
            try:
                raw = socket.create_connection((wire.ADDRESS, self._target.port), 3)
                if not tls:
                    raw.sendall(head)
                    self._open.append(raw)
                    continue
                stream = wire.context(certificate).wrap_socket(raw, server_hostname=host)
                stream.settimeout(0.5)
                stream.sendall(head)
                self._open.append(stream)
            except OSError:
                self.refused += 1

    def trickle(self, piece: bytes, seconds: float = SECONDS, every: float = 1.0) -> None:
        """Send a piece on each connection now and then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stop.is_set():
            for stream in list(self._open):
                try:
                    stream.sendall(piece)
                except OSError:
                    self._open.remove(stream)
                    self.refused += 1
            self._stop.wait(every)
