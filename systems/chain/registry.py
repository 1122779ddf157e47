"""A system's message handlers and jobs, registered by the decorators in its `chain.py` and `jobs.py`."""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from systems.chain.messages import Message, forget
from systems.shared import messages, parts

FORGET_AT = dt.time(4, 10)  # after the feeds of the night and before the offices open
Handler = Callable[[Message], None]


@dataclass(frozen=True)
class Job:
    """Work that runs for each tenant: daily after `at` (local time), or once in `every` seconds."""

    name: str
    work: Callable[[dt.date], None]
    at: dt.time | None = None
    every: int | None = None

    def slot(self, now: dt.datetime) -> str | None:
        """The run that is due at a moment (local time), as a day or a period's number; None before the time of day."""
        if self.every:
            return str(int(now.timestamp()) // self.every)
        return str(now.date()) if now.time() >= self.at else None


_handlers: dict[tuple[str, str], Handler] = {}
_jobs: dict[str, list[Job]] = {}
# What comes with a part that several systems share (`systems.shared.parts`): topic → part and handler; part and job.
_everywhere: dict[str, tuple[str, Handler]] = {}
_jobs_everywhere: list[tuple[str, Callable[[str], Job]]] = []


def handles(topic: str) -> Callable[[Handler], Handler]:
    """Register a function of `systems/<id>/chain.py` as the handler of a topic.

    ValueError for a topic that nobody may send to that system: systems/shared/messages.py says who may.
    """

    def mark(handler: Handler) -> Handler:
        key = (_system_of(handler), topic)
        if not messages.sources(*key):
            raise ValueError(f"{key[0]}: topic {topic!r} has a handler and no sender; name one in {messages.__name__}")
        if key in _handlers and _handlers[key].__qualname__ != handler.__qualname__:
            raise ValueError(f"{key[0]}: two handlers for topic {topic!r}; remove one")
        _handlers[key] = handler
        return handler

    return mark


def handles_everywhere(topic: str, part: str) -> Callable[[Handler], Handler]:
    """Register the handler of a topic for every system that has a part, such as `importing`."""

    def mark(handler: Handler) -> Handler:
        if topic not in messages.FIELDS:
            raise ValueError(f"topic {topic!r} has a handler and no sender; name one in {messages.__name__}")
        _everywhere[topic] = (part, handler)
        return handler

    return mark


def job_everywhere(part: str, at: str) -> Callable[[Callable[[str, dt.date], None]], Callable[[str, dt.date], None]]:
    """Register a daily job, a function of system and day, for every system that has a part, such as `feed`."""

    def mark(work: Callable[[str, dt.date], None]) -> Callable[[str, dt.date], None]:
        time = dt.time.fromisoformat(at)
        _jobs_everywhere.append((part, lambda system: Job(part, partial(work, system), at=time)))
        return work

    return mark


def job(at: str | None = None, every: int | None = None) -> Callable:
    """Register a function of `systems/<id>/jobs.py` of the local day: `at="02:10"` daily, or `every` seconds."""
    if (at is None) == (every is None):
        raise ValueError(f"job: at={at!r} and every={every!r}; give exactly one of them")

    def mark(work: Callable[[dt.date], None]) -> Callable[[dt.date], None]:
        time = dt.time.fromisoformat(at) if at else None
        _jobs.setdefault(_system_of(work), []).append(Job(work.__name__, work, time, every))
        return work

    return mark


def handler(system: str, topic: str) -> Handler | None:
    """A system's handler for a topic: its own, else the shared one of a part that the system has."""
    _load(system)
    if own := _handlers.get((system, topic)):
        return own
    part, common = _everywhere.get(topic, ("", None))
    return common if part and parts.has(system, part) else None


def jobs(system: str) -> list[Job]:
    """A system's jobs: its own, emptying old messages, and those of its parts."""
    _load(system)
    common = [make(system) for part, make in _jobs_everywhere if parts.has(system, part)]
    return [*_jobs.get(system, []), Job("forget", forget, at=FORGET_AT), *common]


@cache
def _load(system: str) -> None:
    for module in ("chain", "jobs"):
        name = f"systems.{system}.{module}"
        if importlib.util.find_spec(name):
            importlib.import_module(name)


def _system_of(function: Callable) -> str:
    return function.__module__.split(".")[1]
