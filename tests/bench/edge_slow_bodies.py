"""SLOW: slow bodies from many addresses at one municipality, and what everybody else gets meanwhile.

``python -m tests.bench SLOW [--env test] [--target 16054] [--attackers 60] [--sockets 4] [--seconds 30]``. Each
attacker has an address of its own and holds sockets whose bodies trickle: at the portal, at e-administration's uploads
and at the citizens' sign-in. Meanwhile people of the other municipalities, each from an address of their own, open
the portal and e-administration, and somebody opens the citizens' sign-in. Needs root for the addresses; bounded by
`--seconds`. Target: others get at least 99 % good answers, each within two seconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from centre.reach.runtime import Runtime
from inventory.register import Register, load
from inventory.vault import vault
from tests.support.sources import Sources

GOOD_PERCENT, GOOD_SECONDS = 99.0, 2.0
TRICKLE_SECONDS = 0.5
PEOPLE = 8  # at the other municipalities
REALM = "/realms/ugyfel"
UPLOAD = "/elugy/kitoltes/00000000-0000-4000-8000-000000000000/mellekletek/uj"


@dataclass
class Figures:
    """Answers by status (or kind of fault) and seconds of the good ones."""

    statuses: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    good: int = 0

    def add(self, status: str, seconds: float) -> None:
        self.statuses[status] += 1
        if status in ("200", "302") and seconds <= GOOD_SECONDS:
            self.good += 1
            self.times.append(seconds)

    @property
    def percent(self) -> float:
        return 100 * self.good / max(1, sum(self.statuses.values()))

    def line(self, name: str) -> str:
        p95 = statistics.quantiles(self.times, n=20)[18] if len(self.times) > 1 else float("nan")
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return f"{name:<28}{sum(self.statuses.values()):7}{self.percent:8.2f}{p95 * 1000:9.0f}  {statuses}"


class Attack:
    """Sockets with bodies that trickle; each one that ends is opened again."""

    def __init__(self, sources: Sources, addresses: list[str], targets: list[tuple[str, str, int]], sockets: int):
        self._sources, self._stop = sources, threading.Event()
        self.ends: Counter[str] = Counter()
        self._threads = [
            threading.Thread(target=self._hold, args=(address, *targets[(number + turn) % len(targets)]), daemon=True)
            for turn, address in enumerate(addresses)
            for number in range(sockets)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)

    def _hold(self, address: str, host: str, path: str, length: int) -> None:
        while not self._stop.is_set():
            try:
                self.ends[self._trickle(address, host, path, length)] += 1
            except OSError as error:
                self.ends[type(error).__name__] += 1
                self._stop.wait(TRICKLE_SECONDS)

    def _trickle(self, address: str, host: str, path: str, length: int) -> str:
        with self._sources.open(host, address) as connection:
            # What the edge awaits of a large body comes at once, so that it is let through to a thread.
            connection.sendall(self._sources.headers(host, path, length) + b"x" * min(33_000, length // 2))
            connection.settimeout(TRICKLE_SECONDS)
            while not self._stop.is_set():
                connection.sendall(b"x")
                try:
                    return connection.recv(12).decode(errors="replace")[9:] or "closed"
                except TimeoutError:
                    continue
        return "stopped"


def ask(sources: Sources, source: str, host: str, path: str, stop: threading.Event, figures: Figures) -> None:
    """One person's requests, five a second at most, until told to stop."""
    while not stop.is_set():
        began = time.monotonic()
        try:
            status = str(sources.request(host, path, source).status)
        except OSError as error:
            status = type(error).__name__
        figures.add(status, time.monotonic() - began)
        stop.wait(0.2)


def measure(register: Register, sources: Sources, people: list[str], target: str, seconds: float) -> dict[str, Figures]:
    """What the others, the citizens' sign-in and the target itself answer for so long."""
    others = [entry.host for entry in register.joined() if entry.ksh != target]
    figures = {name: Figures() for name in ("others: portal", "others: elugy", "citizens' sign-in", "target: portal")}
    jobs = [
        (figures[f"others: {system}"], others[number % len(others)], f"/{system}/")
        for number in range(PEOPLE)
        for system in ("portal", "elugy")
    ]
    sign_in = f"{REALM}/.well-known/openid-configuration"
    jobs.append((figures["citizens' sign-in"], register.environment.identity_host, sign_in))
    jobs.append((figures["target: portal"], register.municipality(target).host, "/portal/"))
    stop = threading.Event()
    threads = [
        threading.Thread(target=ask, args=(sources, people[number], host, path, stop, each))
        for number, (each, host, path) in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join(30)
    return figures


def main() -> int:
    """Command line. Exit 1 when others got fewer good answers than the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="test")
    parser.add_argument("--target", default="16054")
    parser.add_argument("--attackers", type=int, default=60)
    parser.add_argument("--sockets", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=30)
    args = parser.parse_args()
    register = load(args.env)
    root = vault.load(register).root_ca.certificate
    target = register.municipality(args.target)
    targets = [
        (target.host, "/portal/", 8000),
        (target.host, UPLOAD, 2_900_000),
        (register.environment.identity_host, f"{REALM}/login-actions/authenticate", 8000),
    ]
    persons = 2 * PEOPLE + 2
    print(f"{args.attackers} addresses with {args.sockets} sockets each at {target.name}, {args.seconds} s")
    print(f"{'':<28}{'answers':>7}{'good %':>8}{'p95 ms':>9}  by status")
    with Sources(register, Runtime(register), root, args.attackers + persons) as sources:
        people, attackers = sources.addresses[:persons], sources.addresses[persons:]
        for name, figures in measure(register, sources, people, args.target, args.seconds / 3).items():
            print(figures.line(f"before   {name}"), flush=True)
        attack = Attack(sources, attackers, targets, args.sockets)
        attack.start()
        time.sleep(2)  # until all sockets hold
        during = measure(register, sources, people, args.target, args.seconds)
        attack.end()
        for name, figures in during.items():
            print(figures.line(f"during   {name}"), flush=True)
        ends = ", ".join(f"{end}: {count}" for end, count in attack.ends.most_common())
        print(f"attackers' sockets ended by: {ends}")
    return 0 if all(figures.percent >= GOOD_PERCENT for name, figures in during.items() if "target" not in name) else 1


if __name__ == "__main__":
    sys.exit(main())
