"""The running worker takes over what changed in files, by HAProxy's runtime interface; a reload where it refuses.

A reload reads every certificate again for the sake of one. Files are written first, so whatever starts later reads the
same. From the first file to the last command a mark stands in memory: whoever comes after a killed one sees it and
loads everything, and with the worker goes what the killed one left open in it.
"""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from asp_service.log import Log

from asp_edge import haproxy
from asp_edge.settings import EdgeFault, Settings
from asp_edge.store import Change

MOST_COMMANDS = 5000  # 1,000 take 0.35 s of a processor, a reload with 3,177 certificates 2.2 s (2026-11-30)
UNFINISHED = "files changed and HAProxy did not take all of them"

log = Log("asp-edge")


@dataclass(frozen=True)
class Command:
    """One command to a worker. `answer`: part of its answer when all is well; empty: it says nothing then."""

    text: str
    answer: str = ""

    def send(self, settings: Settings, worker: str) -> None:
        """EdgeFault with HAProxy's words when the worker does not do it."""
        reply = haproxy.command(settings.master_socket, f"{worker} {self.text}").strip()
        if self.answer not in reply or bool(self.answer) is not bool(reply):
            name = self.text.partition(" <<")[0]
            raise EdgeFault(f"HAProxy does not {name}: seen: {reply[-500:]!r}; wanted: {self.answer!r}")


def complete(settings: Settings) -> bool:
    """Load everything when somebody before did not finish; whether that was so."""
    if not settings.unloaded.exists():
        return False
    log.warning(f"{UNFINISHED}: HAProxy reloads")
    _reload(settings)
    return True


def load(settings: Settings, change: Change) -> None:
    """Make HAProxy hold what was written. EdgeFault when it takes it in no way; the mark stays then."""
    steps = commands(settings, change)
    try:
        if change.unfinished:
            raise EdgeFault(UNFINISHED)
        if len(steps) > MOST_COMMANDS:
            raise EdgeFault(f"{len(steps)} commands take longer than a reload")
        for step in steps:
            step.send(settings, haproxy.WORKER)
        settings.unloaded.unlink()
    except (EdgeFault, OSError) as error:
        log.warning(f"{error}: HAProxy reloads")
        _reload(settings)


def load_or_undo(settings: Settings, change: Change) -> None:
    """The same; when HAProxy takes it in no way, files and HAProxy are as before."""
    try:
        load(settings, change)
    except BaseException:
        change.undo()
        with contextlib.suppress(EdgeFault, OSError, subprocess.TimeoutExpired):  # the next one tries again
            complete(settings)
        raise


def load_list(settings: Settings, change: Change) -> None:
    """Make every worker hold a new list of revocations, those as well that a reload left with open connections.

    It is in force before anything that somebody else left unfinished is tried: certificates that HAProxy refuses hold
    up no revocation.
    """
    revocations = _revocations(settings, change)
    try:
        if len(revocations) > MOST_COMMANDS:
            raise EdgeFault(f"{len(revocations)} commands take longer than a reload")
        for step in [*revocations, *_entries(settings.crl_until, change)]:
            step.send(settings, haproxy.WORKER)
    except (EdgeFault, OSError) as error:
        log.warning(f"{error}: HAProxy reloads")
        _reload(settings)
    else:
        if not change.unfinished:
            settings.unloaded.unlink()
    for worker in haproxy.old_workers(settings) if revocations else []:
        try:
            for step in revocations:
                step.send(settings, f"@!{worker}")
        except EdgeFault as error:
            log.info(f"worker {worker} is ending: {error}")
    complete(settings)


def commands(settings: Settings, change: Change) -> list[Command]:
    """In an order in which each moment is safe: a host has its certificate before it is open and after it is closed."""
    before, after = [], []
    for file, old, new in change.differences():
        if file.parent != settings.certificates:
            continue
        if new is None:
            after += _drop(file)
        else:
            before += _bring(file, new, there=old is not None)
    return [*before, *_entries(settings.tenants, change), *after]


def _bring(file: Path, pem: str, there: bool) -> list[Command]:
    text = "\n".join(line for line in pem.splitlines() if line.strip())  # an empty line would end it
    change = [
        Command(f"set ssl cert {file} <<\n{text}\n", "Transaction created"),
        Command(f"commit ssl cert {file}", "Success!"),
    ]
    if there:
        return change
    return [
        Command(f"new ssl cert {file}", "New empty certificate"),
        *change,
        Command(f"add ssl crt-list {file.parent} {file}", "Success!"),
    ]


def _drop(file: Path) -> list[Command]:
    return [
        Command(f"del ssl crt-list {file.parent} {file}", "deleted in crtlist"),
        Command(f"del ssl cert {file}", "deleted!"),
    ]


def _entries(file: Path, change: Change) -> list[Command]:
    """What makes a map of the old one."""
    old, new = (dict(line.split(" ", 1) for line in text.splitlines()) for text in change.texts(file))
    verbs = [("del", key, "") for key in old.keys() - new.keys()]
    verbs += [("set" if key in old else "add", key, f" {value}") for key, value in new.items() if old.get(key) != value]
    return [Command(f"{verb} map {file} {key}{value}") for verb, key, value in verbs]


def _revocations(settings: Settings, change: Change) -> list[Command]:
    """Serial numbers are added and never taken away."""
    old, new = (text.split() for text in change.texts(settings.revoked))
    return [Command(f"add acl {settings.revoked} {serial}") for serial in sorted({*new} - {*old})]


def _reload(settings: Settings) -> None:
    haproxy.validate(settings)
    haproxy.reload(settings)
    settings.unloaded.unlink(missing_ok=True)
