"""Every line of every service's log that speaks of an error, and what explains it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.verdict import Verdict
from tests.soak.windows import Window

GRACE = 15.0  # seconds after a window in which a service may still write of it: time-outs end later than faults
SUSPECT = re.compile(
    r"\b(ERROR|FATAL|PANIC|CRITICAL|ALERT|EMERG|Traceback|Exception)\b|\"level\": ?\"(error|fatal)\""
    r"|\"status\": ?\"?5\d\d\b|segfault|Out of memory"
)


@dataclass(frozen=True)
class Line:
    """`at`: Unix seconds, as the engine noted it."""

    at: float
    service: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """Why a line is no fault. `services`, `pattern`: of service and line; `faults`: kinds in whose windows it may
    come, () for any; `always`: it may come at any time.
    """

    why: str
    services: str
    pattern: str
    faults: tuple[str, ...] = ()
    always: bool = False

    def holds(self, line: Line, windows: Sequence[Window]) -> bool:
        if not re.search(self.services, line.service) or not re.search(self.pattern, line.text):
            return False
        near = [window.fault for window in windows if window.excuses and window.touches(line.at, line.at, GRACE)]
        return self.always or any(not self.faults or fault in self.faults for fault in near)


APP = r"-(keret|irat|portal|elugy|gazd|ivk|ado|iparker|hagyatek|adattar|helpdesk|training|migration)$"
AWAY = ("app server", "handler", "node", "pooler", "identity")
DATABASE = ("node", "pooler")
EXPLAINED = (
    Explanation("the edge says that what was killed is away", "-edge$", r'"status": 50[234], "refusal": "ASP-EDGE-UNAV',
                AWAY),
    Explanation("the edge passes on that the database is away", "-edge$", r'"status": 503, "refusal": ""', DATABASE),
    Explanation("the edge has no server for a backend", "-edge$", r"\[ALERT\].*has no server available", AWAY),
    Explanation("the master tells of the worker that was killed", "-(irat|ado|elugy|iparker|hagyatek)$",
                r"was sent SIGKILL! Perhaps out of memory", ("handler",)),
    Explanation("a page says that the database is away", APP, r'"Service Unavailable: |"status": 503', DATABASE),
    Explanation("a relay waits for the database", APP, r'"message": "relay( finds no tenants)?: ', DATABASE),
    Explanation("the pooler has no server to log in at", "-proxy$", r"pooler error: |server login failed: ", DATABASE),
    Explanation("the cell's proxy has no leader", "-proxy$", r"\[ALERT\].*has no server available", DATABASE),
    Explanation("the node recovers and lets nobody in", "-postgres-[0-9]$", r"FATAL:  the database system is",
                ("node",)),
    Explanation("the pooler gives up a login that takes too long", "-postgres-[0-9]$",
                r"FATAL:  expected SASL response, got message type 88", DATABASE),
    Explanation("everything ends and starts at once", "", "", ("machine", "machine up")),
)  # fmt: skip


def judge(
    lines: Sequence[Line], windows: Sequence[Window], lines_read: int, explained: Sequence[Explanation] = EXPLAINED
) -> tuple[Verdict, dict[str, int]]:
    """`lines`: the suspect ones; `read`: how many there were in all. With the verdict, how often each one explained."""
    counts: Counter[str] = Counter()
    unexplained = []
    for line in lines:
        why = next((entry.why for entry in explained if entry.holds(line, windows)), "")
        if why:
            counts[why] += 1
        else:
            unexplained.append(line)
    shapes = Counter((line.service, shape(line.text)) for line in unexplained)
    first: dict[tuple[str, str], Line] = {}
    for line in unexplained:
        first.setdefault((line.service, shape(line.text)), line)
    faults = [f"{count} × {key[0]}: {first[key].text[:350]}" for key, count in shapes.most_common()]
    figures = f"{lines_read} lines read, {len(lines)} speak of an error, {sum(counts.values())} explained, "
    figures += f"{len(unexplained)} not"
    return Verdict("no unexplained error in a log", lines_read > 0 and not unexplained, figures, faults), dict(counts)


def shape(text: str) -> str:
    """A line without what differs from one time to the next."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", text)[:200]
