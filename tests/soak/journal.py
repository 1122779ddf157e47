"""What everybody saw: each answer with its time, and each write with what its writer was told of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.soak.verdict import Verdict


@dataclass(frozen=True)
class Answer:
    """One answer. `at`: when it was asked for (Unix seconds); `fault`: why it was no good one, or empty."""

    at: float
    seconds: float
    who: str
    system: str
    what: str
    status: int
    fault: str = ""

    @property
    def until(self) -> float:
        return self.at + self.seconds


@dataclass(frozen=True)
class Write:
    """A form that was sent. `kind`: a key of `written.KINDS`; `acknowledged`: its writer saw that it was done."""

    at: float
    ksh: str
    kind: str
    key: str
    acknowledged: bool


@dataclass
class Journal:
    """Filled by many threads."""

    answers: list[Answer] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    tasks: dict[str, int] = field(default_factory=dict)  # name → how often it was done to its end
    sign_ins_again: int = 0  # sign-ins that were refused beside another one of the same user
    given_up: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, answer: Answer) -> None:
        with self._lock:
            self.answers.append(answer)

    def write(self, write: Write) -> None:
        with self._lock:
            self.writes.append(write)

    def done(self, task: str) -> None:
        with self._lock:
            self.tasks[task] = self.tasks.get(task, 0) + 1

    def tried_again(self) -> None:
        with self._lock:
            self.sign_ins_again += 1

    def gave_up(self, line: str) -> None:
        with self._lock:
            self.given_up.append(line)


def used(systems: Iterable[str], journal: Journal) -> Verdict:
    """Whether somebody was in every system, and got through each kind of task."""
    counts = Counter(answer.system for answer in journal.answers)
    missing = [f"nobody was in {system}" for system in systems if not counts[system]]
    figures = f"{sum(journal.tasks.values())} tasks of {len(journal.tasks)} kinds done, {len(journal.answers)} answers "
    figures += f"from {len(counts)} systems; {len(journal.given_up)} tasks given up, "
    figures += f"{journal.sign_ins_again} sign-ins again"
    faults = [*missing, *(f"{n} × {line}" for line, n in Counter(journal.given_up).most_common(20))]
    return Verdict("every system at work", not faults, figures, faults)
