"""Which certificates of clerks the centre allowed: `.asp/<env>/issued.jsonl`, a line for each one-time token.

The token carries the serial number of the one certificate that it is good for. So the centre can name every certificate
of a clerk, a workstation or an office, also where step-ca's own record is lost or the computer is gone.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import secrets as random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from centre.edge import revocation_ledger
from centre.edge.revocation_ledger import Kind, Scope
from centre.faults import CentreFault
from centre.ledger import Entry
from inventory import paths
from inventory.register import Register
from inventory.vault import tokens
from inventory.vault.vault import Secrets

BITS = 127  # of a serial number: positive in 16 bytes, and never twice


class Barred(CentreFault):
    """No new certificate for this clerk, workstation or office; the message says since when and how to lift it."""


@dataclass(frozen=True)
class Issuance:
    """A certificate that was allowed. `seat`: the workstation, empty when it is not for one of the register.

    `serial`: decimal text. `until`: the latest moment at which it can still be valid (ISO, UTC).
    """

    serial: str
    clerk: str
    municipality: str
    seat: str
    at: str
    until: str

    def __str__(self) -> str:
        place = f", workstation {self.seat}" if self.seat else ""
        return f"{self.serial} ({self.clerk} at {self.municipality}{place}, allowed {self.at[:10]})"


def file_of(env: str) -> Path:
    return paths.environment_dir(env) / "issued.jsonl"


def token(
    register: Register, secrets: Secrets, username: str, ksh: str, seat: str = "", minutes: int = tokens.MINUTES
) -> str:
    """A one-time token for one certificate, which is written down before anybody has it. Barred after a revocation."""
    if reason := bar_reason(register, secrets, username, ksh, seat):
        raise Barred(reason)
    serial = random.randbits(BITS) | 1
    text = tokens.token(register, secrets, username=username, ksh=ksh, serial=serial, minutes=minutes)
    now = dt.datetime.now(dt.UTC)
    lifetime = dt.timedelta(days=register.environment.pki.client_certificate_days, minutes=max(minutes, 0))
    times = {"at": now.isoformat(timespec="seconds"), "until": (now + lifetime).isoformat(timespec="seconds")}
    _append(register.environment.id, Issuance(str(serial), username, ksh, seat, **times))
    return text


def bar_reason(register: Register, secrets: Secrets, clerk: str, ksh: str, seat: str = "") -> str | None:
    """Why no new certificate is issued, and how to change that; None when one is."""
    office = register.office_of(register.municipality(ksh)).seat
    return _reason(revocation_ledger.read(register, secrets), clerk, seat, office)


def seat_bars(register: Register, secrets: Secrets) -> dict[str, str]:
    """Workstation → why it gets no new certificate; only those that get none."""
    entries = revocation_ledger.read(register, secrets)
    reasons = {
        station.name: _reason(entries, register.clerk_of(station).username, station.name, office.seat)
        for office, station in register.workstations()
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(entries: list[Entry], clerk: str, seat: str, office: str) -> str | None:
    scopes = [Scope(Kind.CLERK, clerk), Scope(Kind.SEAT, seat), Scope(Kind.OFFICE, office)]
    entry = revocation_ledger.bar(entries, *scopes)
    if entry is None:
        return None
    scope = Scope(Kind(entry["kind"]), entry["name"])
    return (
        f"no new certificate for {clerk}{f' at workstation {seat}' if seat else ''}: {scope} was revoked "
        f"({entry['reason']}) on {entry['at'][:10]}. If that is over: asp revoke {scope.option} --lift"
    )


def valid(register: Register, now: dt.datetime | None = None) -> Iterator[Issuance]:
    """Certificates that can still be valid, oldest first."""
    moment = (now or dt.datetime.now(dt.UTC)).isoformat(timespec="seconds")
    file = file_of(register.environment.id)
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            entry = Issuance(**json.loads(line))
        except (ValueError, TypeError):  # a machine died while it wrote: that token was never given
            continue
        if entry.until > moment:
            yield entry


def _append(env: str, entry: Issuance) -> None:
    file = file_of(env)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, end - 1))
        begin = b"" if not end or stream.read(1) == b"\n" else b"\n"
        stream.write(begin + json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")
        os.fsync(stream.fileno())
