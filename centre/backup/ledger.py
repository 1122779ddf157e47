"""The ledger of restore drills: `.asp/<env>/drills.jsonl`, a line for each proof, signed and chained to the one before.

A line that was changed, removed from the middle or put in is found by `read`. The newest lines cut off at the end are
not: copy the ledger elsewhere to be sure of those.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from inventory import paths
from inventory.register import Register
from inventory.vault.vault import Secrets

Entry = dict[str, Any]
_ECDSA = ec.ECDSA(hashes.SHA256())


class LedgerFault(Exception):
    """The ledger is not as it was written; the message names the first wrong line."""


def append(register: Register, secrets: Secrets, proof: Entry) -> Entry:
    """Sign a proof and write it behind the others; the line as written. LedgerFault when the ledger is not sound."""
    file = paths.environment_dir(register.environment.id) / "drills.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.open("a+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        lines = stream.read()
        if lines and not lines.endswith("\n"):  # a machine died while it wrote: that proof was never given
            lines = lines[: lines.rfind("\n") + 1]
            stream.truncate(len(lines.encode()))
        entries = _checked(lines.splitlines(), secrets)
        entry = {**proof, "previous": _hash(entries[-1]) if entries else ""}
        entry["signature"] = base64.b64encode(_private(secrets).sign(_bytes(entry), _ECDSA)).decode()
        stream.write(_bytes(entry).decode() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return entry


def read(register: Register, secrets: Secrets) -> list[Entry]:
    """All proofs, oldest first. LedgerFault names the first line that is not as it was written."""
    file = paths.environment_dir(register.environment.id) / "drills.jsonl"
    if not file.is_file():
        return []
    return _checked(file.read_text(encoding="utf-8").splitlines(), secrets)


def newest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """KSH code → its last proof."""
    return {entry["municipality"]: entry for entry in entries}


def due(entries: Iterable[Entry], municipalities: Iterable[str], days: int, now: datetime | None = None) -> list[str]:
    """Whose turn it is today, most urgent first: never proven ones, then the oldest.

    As many as must be proven in a day so that all are within `days`, and at least every one that is late.
    """
    now, last = now or datetime.now(UTC), newest(entries)
    codes = sorted(municipalities, key=lambda ksh: (_at(last, ksh), ksh))
    batch = -(-len(codes) // days)
    late = [ksh for ksh in codes if ksh in last and now - _at(last, ksh) >= timedelta(days=days)]
    rested = now - timedelta(hours=20)  # proven today already
    return [ksh for place, ksh in enumerate(codes) if (place < batch and _at(last, ksh) < rested) or ksh in late]


def _at(last: dict[str, Entry], ksh: str) -> datetime:
    return datetime.fromisoformat(last[ksh]["at"]) if ksh in last else datetime.min.replace(tzinfo=UTC)


def _checked(lines: list[str], secrets: Secrets) -> list[Entry]:
    public, entries, previous = _private(secrets).public_key(), [], ""
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            signature = base64.b64decode(entry["signature"], validate=True)
            unsigned = {name: value for name, value in entry.items() if name != "signature"}
            public.verify(signature, _bytes(unsigned), _ECDSA)
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
            raise LedgerFault(
                f"drills.jsonl, line {number}: its signature does not hold ({type(error).__name__}); "
                "wanted the line as it was written. Put the ledger back from its copy"
            ) from error
        if entry["previous"] != previous:
            raise LedgerFault(f"drills.jsonl, line {number}: the line before it is not the one it was written after")
        previous = _hash(entry)
        entries.append(entry)
    return entries


def _bytes(entry: Entry) -> bytes:
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _hash(entry: Entry) -> str:
    return hashlib.sha256(_bytes(entry)).hexdigest()


def _private(secrets: Secrets) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(secrets.ledger_key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
