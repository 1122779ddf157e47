"""Looking at an environment's containers while a soak runs: their memory, their logs, what the kernel killed."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from datetime import datetime

from docker.errors import APIError

from centre.reach.runtime import Runtime
from tests.soak.logs import SUSPECT, Line
from tests.soak.memory import Sample

EVERY = 10.0  # seconds between two samples
SERVICE, MIB = "com.docker.swarm.service.name", 2**20


class Watch:
    """Samples in a thread of its own; logs are read after every fault, before Swarm forgets a dead container."""

    def __init__(self, runtime: Runtime, env: str):
        self._client, self._prefix = runtime.client, f"asp-{env}-"
        self.samples: list[Sample] = []
        self.loads: list[float] = []  # of the whole machine, as `uptime` shows it
        self.lines: list[Line] = []
        self.read = 0
        self.begin = time.time()
        self._upto: dict[str, float] = {}  # container → until when its log was read
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_on, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def containers(self, dead: bool = False) -> list[tuple[str, str]]:
        """(service, container id) of this environment's services."""
        entries = self._client.api.containers(all=dead, filters={"label": SERVICE})
        pairs = [(entry["Labels"][SERVICE], entry["Id"]) for entry in entries]
        return [pair for pair in pairs if pair[0].startswith(self._prefix)]

    def services(self) -> list[str]:
        entries = self._client.api.services()
        return sorted(entry["Spec"]["Name"] for entry in entries if entry["Spec"]["Name"].startswith(self._prefix))

    def oom_kills(self) -> list[str]:
        """Services in which the kernel killed a process for memory, once for each time."""
        period = {"since": int(self.begin), "until": int(time.time())}
        events = self._client.events(**period, decode=True, filters={"event": "oom"})
        names = [event["Actor"]["Attributes"].get(SERVICE, "") for event in events]
        return [name for name in names if name.startswith(self._prefix)]

    def read_logs(self) -> None:
        """Keep the suspect lines of everybody's logs since they were read last."""
        for service, container in self.containers(dead=True):
            since = self._upto.get(container, self.begin)
            now = time.time()
            with contextlib.suppress(APIError):  # it was removed at this moment
                raw = self._client.api.logs(container, timestamps=True, since=since, until=now)
                self._upto[container] = now
                for text in raw.decode(errors="replace").splitlines():
                    self.read += 1
                    stamp, _, rest = text.partition(" ")
                    if SUSPECT.search(rest):
                        self.lines.append(Line(_seconds(stamp, now), service, rest))

    def _sample_on(self) -> None:
        while not self._over.is_set():
            self.loads.append(os.getloadavg()[0])
            with contextlib.suppress(APIError, OSError):  # the daemon itself is away
                self._sample()
            self._over.wait(EVERY)

    def _sample(self) -> None:
        for service, container in self.containers():
            with contextlib.suppress(APIError):
                memory = self._client.api.stats(container, stream=False, one_shot=True).get("memory_stats", {})
                if "usage" in memory:
                    self.samples.append(
                        Sample(time.time(), service, container, _anonymous(memory) / MIB, memory["limit"] / MIB)
                    )


def _anonymous(memory: dict) -> float:
    """Bytes that are neither a file's cache nor shared: `rss` of cgroup v1, `anon` of v2."""
    stats = memory.get("stats", {})
    return float(stats["total_rss"] if "total_rss" in stats else stats["anon"])


def _seconds(stamp: str, otherwise: float) -> float:
    """Unix seconds of the engine's stamp, which has nanoseconds."""
    try:
        return datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00").timestamp()
    except ValueError:
        return otherwise
