"""The day itself: everybody works, one fault comes after the other, and each is waited for until all is well again."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Sequence
from http.client import HTTPException

from docker.errors import DockerException

from centre.faults import CentreFault
from centre.reach.runtime import RuntimeFault
from tests.soak.crew import Crew
from tests.soak.faults import BY_NAME, Failure, Fault, Ground
from tests.soak.plan import Planned
from tests.soak.watch import Watch
from tests.soak.windows import Window
from tests.support.edge_client import EdgeClient
from tests.support.polling import PATIENCE

APART = 20.0  # seconds at least between the end of one fault and the next
ROUNDS = 2  # in a row in which everything must answer before a fault counts as over


class Day:
    def __init__(self, ground: Ground, crew: Crew, watch: Watch, seed: int):
        self._ground, self._crew, self._watch = ground, crew, watch
        self._chance = random.Random(f"{seed} faults")
        self._inspector = crew.inspector()
        self.windows: list[Window] = []

    def run(self, planned: Sequence[Planned], seconds: float) -> None:
        """Everybody works for so long, or until the last fault is over."""
        begin = time.time()
        for worker in self._crew.workers:
            worker.start()
        for entry in planned:
            wait = max(begin + entry.at, self.windows[-1].end + APART if self.windows else 0) - time.time()
            time.sleep(max(wait, 0))
            if time.time() > begin + seconds:
                break
            window = self._plant(BY_NAME[entry.fault], begin)
            self.windows.append(window)
            with contextlib.suppress(DockerException, OSError):  # the daemon is still away: they are read next time
                self._watch.read_logs()
        time.sleep(max(begin + seconds - time.time(), 0))
        self._crew.over.set()
        for worker in self._crew.workers:
            worker.join(60)

    def _plant(self, fault: Fault, day: float) -> Window:
        begin, target, failure = time.time(), "", ""
        try:
            target = fault.act(self._ground, self._chance)
        except (CentreFault, Failure, OSError, subprocess.SubprocessError) as error:
            failure = f"{type(error).__name__}: {error}"
        deadline = time.time() + fault.limit * PATIENCE
        good: list[float] = []  # when each round ended in which all was well
        while len(good) < ROUNDS:
            trouble = self._trouble()
            good = [] if trouble else [*good, time.time()]
            if trouble and time.time() > deadline:
                failure = failure or f"not over within {fault.limit * PATIENCE:.0f} s: {trouble}"
                break
            time.sleep(0.5)
        end = good[0] if good else time.time()
        window = Window(fault.name, target, begin, end, fault.excuses, failure)
        print(f"  {begin - day:5.0f} s  {fault.title} ({target}): {window.seconds:.0f} s  {failure}", flush=True)
        return window

    def _trouble(self) -> str:
        """What does not answer as it should.

        Empty when every service is healthy, every system shows its page, and a new browser can sign in.
        """
        try:
            for service in self._watch.services():
                self._ground.runtime.container(service)
        except (RuntimeFault, DockerException, OSError) as fault:  # the daemon itself may be what is away
            return str(fault)[:200]
        systems = self._ground.register.systems_of(self._ground.municipality)
        troubles = (self._seen(self._inspector, system) for system in systems)
        return next(filter(None, troubles), "") or self._seen(self._crew.inspector(), "keret")

    def _seen(self, client: EdgeClient, system: str) -> str:
        """What is wrong with a system's first page; empty when it is there."""
        origin = self._ground.municipality.origin
        try:
            reply = client.follow(f"{origin}/{system}/")
        except (OSError, HTTPException, AssertionError) as error:
            return f"{system}: {type(error).__name__} {error}"
        right = reply.status == 200 and reply.url.startswith(origin)
        return "" if right else f"{system}: {reply.status} at {reply.url}"
