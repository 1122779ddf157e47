"""The ledger of revocations: `.asp/<env>/revocations.jsonl`, a line for each revocation and each bar that was lifted.

It is the record: step-ca's list follows from it, and is made complete again when its volume was lost.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from centre import ledger
from centre.ledger import Entry
from inventory import paths
from inventory.register import Register
from inventory.vault.vault import Secrets


class Kind(StrEnum):
    """Whose certificates are revoked."""

    CERTIFICATE = "certificate"
    """One, by its serial number."""
    CLERK = "clerk"
    """All of a person."""
    SEAT = "seat"
    """All of a workstation."""
    OFFICE = "office"
    """All of an office: every clerk's, for every municipality that it serves."""


class Reason(StrEnum):
    """Why, in the words of an operator; RFC 5280's number of each is `code`."""

    STOLEN = "stolen"
    """The computer or the key was lost, stolen or copied."""
    LEFT = "left"
    """The person left or works elsewhere."""
    REPLACED = "replaced"
    """A new certificate takes the old one's place."""
    CLOSED = "closed"
    """The workstation or office is not used any more."""
    WITHDRAWN = "withdrawn"
    """The right to work here was withdrawn."""

    @property
    def code(self) -> int:
        return {"stolen": 1, "left": 3, "replaced": 4, "closed": 5, "withdrawn": 9}[self]

    @property
    def bars(self) -> bool:
        """Whether no new certificate is issued until an operator says so: the next play would undo it otherwise."""
        return self is not Reason.REPLACED

    @property
    def closes_sign_in(self) -> bool:
        """Whether a clerk's account is disabled as well."""
        return self in (Reason.LEFT, Reason.WITHDRAWN)


@dataclass(frozen=True)
class Scope:
    """What is revoked. `name`: serial number (decimal), user name, workstation, or the KSH code of an office's seat."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def option(self) -> str:
        """How `asp revoke` names it."""
        return f"--{'serial' if self.kind is Kind.CERTIFICATE else self.kind} {self.name}"


def operator() -> str:
    """Login name of who runs this, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def read(register: Register, secrets: Secrets) -> list[Entry]:
    """All entries, oldest first; LedgerFault when one is not as it was written."""
    return ledger.read(_file(register), secrets)


def write_revocation(
    register: Register, secrets: Secrets, scope: Scope, reason: Reason, note: str, serials: Sequence[str], until: str
) -> Entry:
    """Write that certificates are revoked. `until`: when the last of them ends (ISO, UTC)."""
    content = {"reason": reason.value, "note": note, "serials": list(serials), "until": until}
    return _append(register, secrets, "revoke", scope, content)


def write_lift(register: Register, secrets: Secrets, scope: Scope, note: str) -> Entry:
    """Write that new certificates may be issued again."""
    return _append(register, secrets, "lift", scope, {"note": note})


def bar(entries: Sequence[Entry], *scopes: Scope) -> Entry | None:
    """The revocation that keeps any of these from a new certificate; None when there is none, or it was lifted."""
    for scope in scopes:
        own = [entry for entry in entries if Scope(Kind(entry["kind"]), entry["name"]) == scope]
        barring = [entry for entry in own if entry["act"] == "lift" or Reason(entry["reason"]).bars]
        if barring and barring[-1]["act"] == "revoke":
            return barring[-1]
    return None


def _append(register: Register, secrets: Secrets, act: str, scope: Scope, content: Entry) -> Entry:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    entry = {"act": act, "at": now, "operator": operator(), "kind": scope.kind.value, "name": scope.name, **content}
    return ledger.append(_file(register), secrets, entry)


def _file(register: Register) -> Path:
    return paths.environment_dir(register.environment.id) / "revocations.jsonl"
