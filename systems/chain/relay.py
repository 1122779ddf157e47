"""The relay: brings each tenant's messages to this system's handlers and runs its jobs.

One thread of one worker of a service (the one that holds the lock file). It needs to know one tenant to find all:
each database of the cell can name the others. Tenants that were served or had mail lately are looked at every
`SOON` seconds, the others every `LATER` seconds; of these at most `COLD` in one round, since every look is a session
at the database: in a full cell thirteen systems that looked at all of them every half minute took a whole processor.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from systems import tenancy
from systems.chain import messages, registry
from systems.core import facts, logs, metrics

SOON, LATER = 2, 30  # seconds
COLD = 4  # tenants; beyond LATER / SOON * COLD of them the others wait longer
WARM = 60  # seconds after its last mail that a tenant counts as busy
LOCK = Path("/tmp/relay.lock")
LOST = (OperationalError, InterfaceError)  # the database went away: nothing is wrong with the message or job

_served: dict[str, float] = {}  # KSH code → when a request of it was seen, by this process
_failing: dict[tuple[str, str, str], tuple[int, float]] = {}  # KSH code, system, job → tries, when the next one is due


def seen(ksh: str) -> None:
    """A tenant is being served: its mail is looked for soon."""
    _served[ksh] = time.monotonic()


def deliver() -> int:
    """Handle what is due for the current tenant; how many were handled. A fault of one does not stop others."""
    handled, blocked = 0, set()
    for message in messages.due():
        if message.key in blocked:
            continue
        try:
            done = _handle(message)
            handled += done
            metrics.MESSAGES.labels(settings.ASP.system, message.topic, "handled").inc(done)
        except LOST:
            raise
        except Exception as error:
            blocked.add(message.key)
            logs.logger.exception("message %s of %s failed", message.id, message.topic)
            messages.failed(message, error)
            metrics.MESSAGES.labels(settings.ASP.system, message.topic, "failed").inc()
    return handled


def _handle(message: messages.Message) -> bool:
    handler = registry.handler(settings.ASP.system, message.topic)
    if handler is None:
        raise LookupError(f"no handler of {message.topic!r} in {settings.ASP.system}")
    with transaction.atomic():
        if not messages.receipt(message):
            return False
        handler(message)
    return True


def run_jobs() -> int:
    """Run what is due of this system's jobs for the current tenant; how many ran.

    One that fails waits as a message does (1, 2, 4 … minutes, at most an hour), by this process's memory.
    """
    now, ran = timezone.localtime(), 0
    for job in registry.jobs(settings.ASP.system):
        slot = job.slot(now)
        this = tenancy.current().ksh, settings.ASP.system, job.name
        tries, again = _failing.get(this, (0, 0.0))
        if slot is None or time.monotonic() < again:
            continue
        try:
            with transaction.atomic():
                if messages.begin_run(job.name, slot):
                    job.work(now.date())
                    ran += 1
                    _failing.pop(this, None)
                    metrics.JOBS.labels(settings.ASP.system, job.name, "done").inc()
        except LOST:
            raise
        except Exception:
            logs.logger.exception("job %s failed", job.name)
            _failing[this] = tries + 1, time.monotonic() + 60 * min(2**tries, messages.LONGEST_WAIT)
            metrics.JOBS.labels(settings.ASP.system, job.name, "failed").inc()
    return ran


class Relay:
    """The loop over tenants. `first`: KSH code of one tenant of the cell, which names the others."""

    def __init__(self, first: str | None):
        self.first = first
        self.listed: list[str] = []
        self.list_again = 0.0
        self.next: dict[str, float] = {}  # of tenants that are not busy: those are looked at in every round
        self.warm: dict[str, float] = {}

    def round(self) -> int:
        """Look at every tenant whose turn it is; how much was done."""
        done = 0
        for ksh in self._due(self._tenants(), time.monotonic()):
            now = time.monotonic()
            work = self._visit(ksh)
            if work:
                self.warm[ksh] = now
            self.next[ksh] = now + LATER
            done += work
        metrics.RELAYED.labels(settings.ASP.system).set_to_current_time()
        return done

    def _busy(self, ksh: str, now: float) -> bool:
        return max(_served.get(ksh, -WARM), self.warm.get(ksh, -WARM)) > now - WARM

    def _due(self, tenants: list[str], now: float) -> list[str]:
        """Every busy tenant, and of the others those that waited longest for their turn."""
        turn = {ksh: self.next.get(ksh, 0.0) for ksh in tenants}
        cold = [ksh for ksh in tenants if not self._busy(ksh, now) and now >= turn[ksh]]
        return [ksh for ksh in tenants if self._busy(ksh, now)] + sorted(cold, key=turn.__getitem__)[:COLD]

    def _visit(self, ksh: str) -> int:
        with _as(ksh):
            try:
                return deliver() + run_jobs()
            except (DatabaseError, InterfaceError) as error:
                logs.logger.warning("relay: %s", str(error).strip().splitlines()[0])
                connection.close()
                return 0

    def _tenants(self) -> list[str]:
        """KSH codes of the cell's tenants that have this system, asked from any of them every `LATER` seconds."""
        now = time.monotonic()
        if now < self.list_again:
            return self.listed
        known = [*self.listed, *_served, *([self.first] if self.first else [])]
        for ksh in dict.fromkeys(known):
            with _as(ksh):
                try:
                    self.listed = [code for code, _ in facts.tenants() if settings.ASP.entry.serves(code)]
                except (DatabaseError, InterfaceError) as error:
                    logs.logger.warning("relay finds no tenants: %s", str(error).strip().splitlines()[0])
                    connection.close()
                    continue
            self.list_again = now + LATER
            break
        return self.listed


@contextmanager
def _as(ksh: str) -> Iterator[None]:
    with tenancy.serving(tenancy.Tenant(ksh, None)), logs.request("relay", ksh):
        yield


@contextmanager
def only_one() -> Iterator[bool]:
    """Whether this process is the one of its container that relays; it stays so until it ends."""
    with LOCK.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def start() -> None:
    """Begin relaying in a thread of this process, as soon as no other one of the container does."""
    threading.Thread(target=_run, name="relay", daemon=True).start()


def _run() -> None:
    relay = Relay(settings.ASP.first_tenant)
    while True:
        with only_one() as mine:
            while mine:
                relay.round()
                time.sleep(SOON)
        time.sleep(SOON)
