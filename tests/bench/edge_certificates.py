"""EDGE: what one municipality's join, and one revocation, cost at an edge with the country's certificates.

``python -m tests.bench EDGE [--certificates 3177] [--rounds 5]``. Each round joins a municipality and takes a new list
of revocations, once by a reload of HAProxy and once by its runtime interface, at one edge alone in a container of its
image (tests/support/edge_alone.py); no environment has to run. Seconds are those of the control program's call; the
processors' time is the whole container's, HAProxy's new and old workers with it. Target: by the runtime interface a
tenth of the processors' time.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from inventory.register import load
from tests.support.edge_alone import EdgeAlone

TARGET = 10.0
SETTLE_SECONDS = 2.0  # in which a replaced worker ends
WAYS = {"reload": {"ASP_BY_RELOAD": "1"}, "runtime": {}}


class Figures:
    """Seconds of calls, and processors' seconds of all of them."""

    def __init__(self, edge: EdgeAlone):
        self.times: list[float] = []
        self.cpu = 0.0
        self._edge = edge

    def take(self, call: Callable[[], tuple[int, str, str]]) -> None:
        before, began = self._used(), time.monotonic()
        code, _, err = call()
        self.times.append(time.monotonic() - began)
        if code:
            raise RuntimeError(err)
        time.sleep(SETTLE_SECONDS)
        self.cpu += self._used() - before

    def _used(self) -> float:
        usage = self._edge.container.stats(stream=False)["cpu_stats"]["cpu_usage"]["total_usage"]
        return float(usage) / 1e9

    @property
    def cpu_each(self) -> float:
        return self.cpu / len(self.times)


def measure(edge: EdgeAlone, rounds: int) -> dict[tuple[str, str], Figures]:
    """(what, way) → its figures; both ways take turns, so that neither has the quieter machine."""
    figures = {(what, way): Figures(edge) for what in ("join", "revocation") for way in WAYS}
    _, serial = edge.clerk("t16054")
    idle = Figures(edge)
    for turn in range(rounds):
        idle.take(lambda: (0, "", ""))
        for number, (way, environment) in enumerate(WAYS.items()):
            host = f"new-{way}-{turn}.asp.test"
            figures["join", way].take(lambda host=host, extra=environment: edge.join(host, **extra))
            edge.publish(*(serial + step for step in range(2 * turn + number + 1)), minutes=60 + 2 * turn + number)
            figures["revocation", way].take(lambda extra=environment: edge.call("refresh", **extra))
    for each in figures.values():  # what the edge uses anyway
        each.cpu = max(0.0, each.cpu - idle.cpu_each * len(each.times))
    return figures


def main() -> int:
    """Command line. Exit 1 when the ratio of a join's processors' time misses the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificates", type=int, default=3177)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="asp-edge-"))
    print(f"{args.certificates} certificates, {args.rounds} rounds")
    try:
        with EdgeAlone(load("test"), folder, [f"h{number}.asp.test" for number in range(args.certificates)]) as edge:
            figures = measure(edge, args.rounds)
    finally:
        shutil.rmtree(folder)
    print(f"{'':<24}{'p50 s':>8}{'max s':>8}{'CPU s':>8}")
    for (what, way), each in figures.items():
        median, longest = statistics.median(each.times), max(each.times)
        print(f"{what + ' by ' + way:<24}{median:8.2f}{longest:8.2f}{each.cpu_each:8.2f}")
    ratios = {}
    for what in ("join", "revocation"):
        reload, runtime = figures[what, "reload"], figures[what, "runtime"]
        ratios[what] = reload.cpu_each / max(runtime.cpu_each, 0.001)
        faster = statistics.median(reload.times) / statistics.median(runtime.times)
        print(f"{what}: {faster:.1f} times as fast, {ratios[what]:.1f} times less of the processors' time")
    return 0 if ratios["join"] >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
