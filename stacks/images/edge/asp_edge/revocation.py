"""Step-ca's list of revoked certificates: fetched, its signature checked, laid where HAProxy asks at every request.

Fails closed: when no list came for so long that the last one has run out, HAProxy refuses staff systems by itself.
"""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import threading
import time

from asp_service.log import Changes, Log

from asp_edge import haproxy, running
from asp_edge.certificates import openssl, request
from asp_edge.settings import EdgeFault, Settings
from asp_edge.store import Change, locked

log = Log("asp-edge")
PATIENCE_SECONDS, PAUSE_SECONDS = 10.0, 0.2  # for a master that is just reloading


def parse(text: str) -> tuple[int, list[str]]:
    """(end of validity as Unix time, serials in upper-case hex) from openssl's words for a list."""
    end = re.search(r"^nextUpdate=(.+)$", text, re.MULTILINE)
    if end is None:
        raise EdgeFault("step-ca's list of revocations has no end of validity; set its cacheDuration")
    until = dt.datetime.fromisoformat(end.group(1).strip().replace("Z", "+00:00"))
    serials = re.findall(r"^\s*Serial Number: ([0-9A-F]+)\s*$", text, re.MULTILINE)
    return int(until.timestamp()), sorted(serials)


def refresh(settings: Settings) -> bool:
    """Take the present list; whether anything changed. The last good one stays when the new one cannot be trusted.

    A revocation is for good: a serial number that was on a list stays refused although it is missing from the next, as
    it is when step-ca has lost its volume. A list that HAProxy did not load stays on disk, where the next refresh or
    start loads it.
    """
    der = request(settings, "/1.0/crl")
    openssl("crl", "-inform", "DER", "-noout", "-verify", "-CAfile", str(settings.client_ca), data=der)
    text = openssl("crl", "-inform", "DER", "-noout", "-nextupdate", "-dateopt", "iso_8601", "-text", data=der)
    until, serials = parse(text.decode())
    with locked(settings):
        change = Change(settings)
        whole = sorted({*settings.revoked.read_text(encoding="utf-8").split(), *serials})
        change.write(settings.revoked, "".join(f"{serial}\n" for serial in whole))
        change.write(settings.crl_until, f"until {until}\n")
        if change:
            running.load_list(settings, change)
            return True
        return running.complete(settings)


def loaded(settings: Settings, patience: float = PATIENCE_SECONDS) -> list[str]:
    """Serial numbers that HAProxy refuses on every new connection, by its own answer: that they stand in the file does
    not say that it was loaded.

    The worker that takes new connections is asked by the master, which closes its socket for a moment while it reloads.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = haproxy.command(settings.master_socket, f"{haproxy.WORKER} show acl {settings.revoked}")
            break
        except EdgeFault:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
    rows = [line.split() for line in answer.splitlines() if line.strip()]  # "0x7f5b7a629540 0A01"
    if any(len(row) != 2 for row in rows):
        raise EdgeFault(f"seen: {answer[:200]!r}; wanted HAProxy's list {settings.revoked}")
    return [serial for _, serial in rows]


def watch(settings: Settings, stop: threading.Event) -> None:
    """Refresh until told to stop; a failure is said once, when it begins and when it ends."""
    faults = Changes(log)
    while True:
        try:
            refresh(settings)
            if faults.over():
                log.info("list of revocations is fetched again")
        except (EdgeFault, OSError, ValueError, subprocess.TimeoutExpired) as error:
            faults.say(f"list of revocations: {error}")
        if stop.wait(settings.crl_seconds):
            return
