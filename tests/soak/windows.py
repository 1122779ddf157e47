"""The times in which a fault explains what people and logs saw, and how good the answers were outside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.soak.journal import Answer
from tests.soak.verdict import Verdict


@dataclass(frozen=True)
class Window:
    """From a fault's first moment until everything answered again (Unix seconds). `fault`: its kind.

    `excuses`: False for what nobody may notice, such as a backup: answers count then as at any time.
    """

    fault: str
    target: str
    begin: float
    end: float
    excuses: bool
    failure: str = ""  # why it was not repaired, or what else went wrong in it

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    def touches(self, begin: float, end: float, grace: float = 0) -> bool:
        return begin <= self.end + grace and end >= self.begin


def excused(windows: Iterable[Window], answer: Answer) -> bool:
    return any(window.excuses and window.touches(answer.at, answer.until) for window in windows)


def availability(answers: Sequence[Answer], windows: Sequence[Window], percent: float) -> Verdict:
    """Whether at least so many percent of the answers outside the windows were good; no answers are no good ones."""
    outside = [answer for answer in answers if not excused(windows, answer)]
    bad = [answer for answer in outside if answer.fault]
    share = 100 * (len(outside) - len(bad)) / len(outside) if outside else 0.0
    excuses = [window for window in windows if window.excuses]
    total = sum(window.seconds for window in excuses)
    inside = [answer for answer in answers if excused(windows, answer)]
    figures = (
        f"{share:.2f} % of {len(outside)} answers good outside the windows, clause {percent} %; "
        f"{len(excuses)} windows, {total:.0f} s in all; inside them {sum(bool(a.fault) for a in inside)} bad of "
        f"{len(inside)}"
    )
    lines = [f"{count} × {what}" for what, count in Counter(f"{a.what}: {a.fault}" for a in bad).most_common(20)]
    return Verdict("good answers outside fault windows", share >= percent, figures, lines)


def repaired(windows: Sequence[Window]) -> Verdict:
    """Whether every fault ended by itself in its time, and did what it should. A soak without faults proves little."""
    failures = [f"{window.fault} {window.target}: {window.failure}" for window in windows if window.failure]
    longest = max(windows, key=lambda window: window.seconds, default=None)
    figures = f"{len(windows)} faults, {len(failures)} not as they should be"
    if longest:
        figures += f"; the longest took {longest.seconds:.0f} s ({longest.fault})"
    return Verdict("faults over by themselves", bool(windows) and not failures, figures, failures)
