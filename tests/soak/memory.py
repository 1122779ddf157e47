"""Memory that is not a cache, by service, and whether it grows while nothing more is asked of it than before."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.soak.verdict import Verdict

# MiB an hour that a service may grow in the second half. An app server takes some 90 MiB of its 256 and must last from
# one release to the next: what leaks at each request grows by hundreds at this rate of requests, while garbage that is
# collected late makes a fit over a quarter of an hour waver by some ten either way.
GROWTH_LIMIT = 30.0
SHORTEST = 480.0  # seconds of one container's samples from which a slope means something
SETTLING = 120.0  # seconds after a container's start in which it fills what it will keep
# Keycloak's Java machine takes memory for its heap long after it started, up to a limit of its own: 468 MiB when it
# answered again, 496 six minutes later, some 600 after an hour.
JAVA, JAVA_SETTLING = "-identity", 600.0


@dataclass(frozen=True)
class Sample:
    at: float
    service: str
    container: str
    mib: float
    limit: float


def slope(points: Sequence[tuple[float, float]]) -> float:
    """MiB an hour of (seconds, MiB) by least squares; needs two moments."""
    times, values = [at for at, _ in points], [mib for _, mib in points]
    return statistics.linear_regression(times, values).slope * 3600


def series(
    samples: Sequence[Sample], since: float, breaks: Mapping[str, Sequence[float]]
) -> dict[str, list[tuple[float, float]]]:
    """Service → (time, MiB) of its last container from `since` on, without the time in which that one settled.

    `breaks`: service → moments from which it was whole again after something in its container was begun anew.
    """
    last: dict[str, Sample] = {}
    first: dict[str, float] = {}
    for sample in samples:
        last[sample.service] = sample
        first.setdefault(sample.container, sample.at)
    earliest = min((sample.at for sample in samples), default=0.0)
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for sample in samples:
        start = max([first[sample.container], *breaks.get(sample.service, ())])
        settling = JAVA_SETTLING if sample.service.endswith(JAVA) else SETTLING
        settled = since if start <= earliest else max(since, start + settling)
        if sample.container == last[sample.service].container and sample.at >= settled:
            points[sample.service].append((sample.at, sample.mib))
    return dict(points)


def judge(
    samples: Sequence[Sample], begin: float, end: float, breaks: Mapping[str, Sequence[float]], killed: Sequence[str]
) -> tuple[Verdict, list[dict[str, object]]]:
    """The verdict, and a row for each service. `killed`: services in which the kernel ended a process for memory."""
    second_half = series(samples, (begin + end) / 2, breaks)
    rows, faults, judged = [], [f"{service}: killed for memory" for service in killed], 0
    steepest: float | None = None
    for service in sorted({sample.service for sample in samples}):
        own = [sample for sample in samples if sample.service == service]
        points = second_half.get(service, [])
        long_enough = len(points) > 2 and points[-1][0] - points[0][0] >= SHORTEST
        growth = slope(points) if long_enough else None
        rows.append(
            {
                "service": service, "first": round(own[0].mib, 1), "last": round(own[-1].mib, 1),
                "peak": round(max(sample.mib for sample in own), 1), "limit": round(own[-1].limit),
                "growth": None if growth is None else round(growth, 1),
            }
        )  # fmt: skip
        if growth is not None:
            judged += 1
            steepest = growth if steepest is None else max(steepest, growth)
            if growth > GROWTH_LIMIT:
                faults.append(f"{service}: grows by {growth:.1f} MiB an hour, at most {GROWTH_LIMIT}")
    figures = f"{judged} of {len(rows)} services judged, {len(killed)} killed for memory"
    if steepest is not None:
        figures += f", steepest {steepest:+.1f} MiB an hour of {GROWTH_LIMIT} allowed"
    good = False if faults else (True if judged else None)
    return Verdict("memory flat", good, figures, faults), rows
