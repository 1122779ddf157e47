"""The relay: brings each tenant's messages to this system's handlers and runs its jobs.

It is one thread of one worker of a container, the one that holds the lock file. One tenant is enough to find all:
each database of the cell lists the others. Tenants that were served or had messages lately are visited every
`SOON` seconds, the others every `LATER` seconds; of these at most `COLD` in one round, because every visit is a session
at the database: in a full cell, thirteen systems visiting all of them every half minute took a whole processor.

A service on several machines has a relay in each task. They meet at the database, which lets one of them handle a
message or run a job, and each visits the idle that much more seldom.
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
from systems.shared import messages as allowed

SOON, LATER = 2, 30  # seconds
COLD = 4  # tenants a round; when there are more than LATER / SOON * COLD, each waits longer than LATER
WARM = 60  # seconds for which a tenant counts as busy after its last message
LOCK = Path("/tmp/relay.lock")
LOST = (OperationalError, InterfaceError)  # the database is gone; the message or job is not at fault

_last_served: dict[str, float] = {}  # KSH code → time of its last request in this process
_retries: dict[tuple[str, str, str], tuple[int, float]] = {}  # KSH code, system, job → tries, when the next one is due


def note_request(ksh: str) -> None:
    """Note that a tenant is being served, so that its messages are looked for soon."""
    _last_served[ksh] = time.monotonic()


def deliver() -> int:
    """Handle the current tenant's pending messages; returns how many. One that fails does not stop the others.

    One that can never be handled, or has failed too often, is put on the list of dead ones.
    """
    handled, blocked_keys = 0, set()
    for message in messages.pending():
        if message.key in blocked_keys:
            continue
        try:
            count = _handle(message)
            handled += count
            metrics.MESSAGES.labels(settings.ASP.system, message.topic, "handled").inc(count)
        except messages.AtWork:
            blocked_keys.add(message.key)
        except LOST:
            raise
        except messages.Unacceptable as error:
            logs.logger.error("message %s of %s is dead: %s", message.id, message.source, error)
            messages.bury(message, str(error))
            metrics.MESSAGES.labels(settings.ASP.system, _label(message), "dead").inc()
        except Exception as error:
            logs.logger.exception("message %s of %s failed", message.id, message.topic)
            dead = messages.record_failure(message, error)
            if not dead:
                blocked_keys.add(message.key)
            metrics.MESSAGES.labels(settings.ASP.system, message.topic, "dead" if dead else "failed").inc()
    return handled


def _handle(message: messages.Message) -> bool:
    if refusal := allowed.refusal(message.source, settings.ASP.system, message.topic, message.body):
        raise messages.Unacceptable(refusal)
    handler = registry.handler(settings.ASP.system, message.topic)
    if handler is None:
        raise messages.Unacceptable(f"no handler of {message.topic!r} in {settings.ASP.system}")
    with transaction.atomic():
        if not messages.receipt(message):
            return False
        handler(message)
    return True


def _label(message: messages.Message) -> str:
    """The topic as a counter names it: a closed set, whatever topic a sender invents."""
    return message.topic if message.topic in allowed.FIELDS else "unknown"


def run_jobs() -> int:
    """Run this system's due jobs for the current tenant; returns how many ran.

    A job that fails waits as a message does (1, 2, 4 … minutes, at most an hour); this process remembers it.
    """
    now, ran = timezone.localtime(), 0
    for job in registry.jobs(settings.ASP.system):
        slot = job.slot(now)
        key = tenancy.current().ksh, settings.ASP.system, job.name
        tries, retry_at = _retries.get(key, (0, 0.0))
        if slot is None or time.monotonic() < retry_at:
            continue
        try:
            with transaction.atomic():
                if messages.begin_run(job.name, slot):
                    job.work(now.date())
                    ran += 1
                    _retries.pop(key, None)
                    metrics.JOBS.labels(settings.ASP.system, job.name, "done").inc()
        except messages.AtWork:
            continue
        except LOST:
            raise
        except Exception:
            logs.logger.exception("job %s failed", job.name)
            _retries[key] = tries + 1, time.monotonic() + 60 * min(2**tries, messages.LONGEST_WAIT)
            metrics.JOBS.labels(settings.ASP.system, job.name, "failed").inc()
    return ran


class Relay:
    """The loop over tenants. `first`: KSH code of one tenant of the cell, which names the others.

    `replicas`: relays of this system's service, of which each does its share of looking at the idle.
    """

    def __init__(self, first_tenant: str | None, replicas: int = 1):
        self.first_tenant = first_tenant
        self.later, self.cold = LATER * replicas, max(1, COLD // replicas)
        self.tenants: list[str] = []
        self.refresh_at = 0.0
        self.next_visit: dict[str, float] = {}  # for tenants that are not busy; busy ones are visited in every round
        self.warm: dict[str, float] = {}

    def round(self) -> int:
        """Visit every tenant whose turn it is; returns how many messages and jobs were handled."""
        total = 0
        for ksh in self._turns(self._tenants(), time.monotonic()):
            now = time.monotonic()
            work = self._visit(ksh)
            if work:
                self.warm[ksh] = now
            self.next_visit[ksh] = now + self.later
            total += work
        metrics.RELAYED.labels(settings.ASP.system).set_to_current_time()
        return total

    def _busy(self, ksh: str, now: float) -> bool:
        return max(_last_served.get(ksh, -WARM), self.warm.get(ksh, -WARM)) > now - WARM

    def _turns(self, tenants: list[str], now: float) -> list[str]:
        """Every busy tenant, and those of the others that have waited longest."""
        turn = {ksh: self.next_visit.get(ksh, 0.0) for ksh in tenants}
        cold = [ksh for ksh in tenants if not self._busy(ksh, now) and now >= turn[ksh]]
        return [ksh for ksh in tenants if self._busy(ksh, now)] + sorted(cold, key=turn.__getitem__)[: self.cold]

    def _visit(self, ksh: str) -> int:
        with _as(ksh):
            try:
                return deliver() + run_jobs()
            except (DatabaseError, InterfaceError) as error:
                logs.logger.warning("relay: %s", str(error).strip().splitlines()[0])
                connection.close()
                return 0

    def _tenants(self) -> list[str]:
        """KSH codes of the cell's tenants that have this system, read from any of them every `LATER` seconds."""
        now = time.monotonic()
        if now < self.refresh_at:
            return self.tenants
        candidates = [*self.tenants, *_last_served, *([self.first_tenant] if self.first_tenant else [])]
        for ksh in dict.fromkeys(candidates):
            with _as(ksh):
                try:
                    self.tenants = [code for code in facts.tenants() if settings.ASP.entry.serves(code)]
                except (DatabaseError, InterfaceError) as error:
                    logs.logger.warning("relay finds no tenants: %s", str(error).strip().splitlines()[0])
                    connection.close()
                    continue
            self.refresh_at = now + LATER
            break
        return self.tenants


@contextmanager
def _as(ksh: str) -> Iterator[None]:
    with tenancy.serving(tenancy.Tenant(ksh, None)), logs.request("relay", ksh):
        yield


@contextmanager
def single_relay() -> Iterator[bool]:
    """Hold the container's relay lock until the context ends; yields whether this process got it."""
    with LOCK.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def start() -> None:
    """Start relaying in a thread of this process, once no other process of the container does."""
    threading.Thread(target=_run, name="relay", daemon=True).start()


def _run() -> None:
    relay = Relay(settings.ASP.first_tenant, settings.ASP.replicas)
    while True:
        with single_relay() as has_lock:
            while has_lock:
                relay.round()
                time.sleep(SOON)
        time.sleep(SOON)
