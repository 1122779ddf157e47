"""Ends large bodies that come too slowly: each holds a thread of an app server, and HAProxy has no least rate.

HAProxy itself awaits what fits into its memory; only the lanes for the rest (`…-upload`, `…-more`) are watched. A body
that waits for the app server is not the sender's fault and is left alone.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from asp_service.log import Changes, Log

from asp_edge import haproxy
from asp_edge.settings import EdgeFault, Settings

LANES = ("-upload", "-more")
POLL_SECONDS = 2
YOUNG = "5s"  # younger streams are not listed: nearly all are over by then

log = Log("asp-edge")


@dataclass(frozen=True)
class Body:
    """A stream whose body still comes: HAProxy's key and number of it, address, bytes so far, bytes not yet sent on."""

    key: str
    number: str
    source: str
    total: int
    waiting: int


def bodies(text: str) -> Iterator[Body]:
    """Bodies that an app server receives now, from what `show sess older …` says of all streams."""
    for stream in re.split(r"\n(?=0x)", text):
        head = re.match(r"(0x[0-9a-f]+): .* id=(\d+) .*source=(\S+)", stream)
        lane = re.search(r"^  backend=(\S+) .*\n  server=(\S+)", stream, re.MULTILINE)
        request = re.search(r"^  req=.* total=(\d+)\)\n.*\n\s+htx=\S+ .*? data=(\d+)", stream, re.MULTILINE)
        if not (head and lane and request) or "req.st=MSG_DATA" not in stream:
            continue
        if lane[1].endswith(LANES) and lane[2] != "<none>":
            yield Body(head[1], head[2], head[3].rpartition(":")[0], int(request[1]), int(request[2]))


@dataclass
class Pace:
    """Since when each body is watched, and how many bytes had come then."""

    seconds: float
    rate: float
    _since: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def slow(self, bodies: Iterable[Body], now: float) -> list[Body]:
        """Bodies that came slower than the least rate for long enough; forgets those that are over."""
        before, self._since, late = self._since, {}, []
        for item in bodies:
            name = (item.key, item.number)
            since, total = before.get(name, (now, item.total))
            if item.waiting:
                since, total = now, item.total
            self._since[name] = since, total
            if now - since >= self.seconds and item.total - total < self.rate * (now - since):
                late.append(item)
        return late


def check(settings: Settings, pace: Pace) -> None:
    """Look once, and end what is too slow."""
    text = haproxy.command(settings.worker_socket, f"show sess older {YOUNG}")
    for item in pace.slow(bodies(text), time.monotonic()):
        haproxy.command(settings.worker_socket, f"shutdown session {item.key}")
        log.info(f"body from {item.source} ended: {item.total} bytes, slower than {settings.upload_rate:.0f} a second")


def watch(settings: Settings, stop: threading.Event) -> None:
    """Look again and again until told to stop; a failure is said once, when it begins and when it ends."""
    faults, pace = Changes(log), Pace(settings.body_seconds, settings.upload_rate)
    while not stop.wait(POLL_SECONDS):
        try:
            check(settings, pace)
            if faults.over():
                log.info("large bodies are watched again")
        except (EdgeFault, OSError, ValueError) as error:
            faults.say(f"large bodies: {error}")
