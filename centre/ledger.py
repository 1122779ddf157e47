"""A ledger: lines that are only ever added, each signed and chained to the one before.

A line that was changed, removed from the middle or put in is noticed by `read`. The newest lines cut off at the end are
not: copy the ledger elsewhere to be sure of those.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from centre.faults import CentreFault
from inventory.vault.vault import Secrets

Entry = dict[str, Any]
_ECDSA = ec.ECDSA(hashes.SHA256())


class LedgerFault(CentreFault):
    """The ledger is not as it was written; the message names the first wrong line."""


def append(file: Path, secrets: Secrets, content: Entry) -> Entry:
    """Sign an entry and write it behind the others; the line as written. LedgerFault when the ledger is not sound."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.open("a+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        lines = stream.read()
        if lines and not lines.endswith("\n"):  # a machine died while it wrote: that entry was never given
            lines = lines[: lines.rfind("\n") + 1]
            stream.truncate(len(lines.encode()))
        entries = _checked(file.name, lines.splitlines(), secrets)
        entry = {**content, "previous": _hash(entries[-1]) if entries else ""}
        entry["signature"] = base64.b64encode(_private(secrets).sign(_bytes(entry), _ECDSA)).decode()
        stream.write(_bytes(entry).decode() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return entry


def read(file: Path, secrets: Secrets) -> list[Entry]:
    """All entries, oldest first. LedgerFault names the first line that is not as it was written."""
    if not file.is_file():
        return []
    return _checked(file.name, file.read_text(encoding="utf-8").splitlines(), secrets)


def _checked(name: str, lines: list[str], secrets: Secrets) -> list[Entry]:
    public, entries, previous = _private(secrets).public_key(), [], ""
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            signature = base64.b64decode(entry["signature"], validate=True)
            unsigned = {key: value for key, value in entry.items() if key != "signature"}
            public.verify(signature, _bytes(unsigned), _ECDSA)
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
            raise LedgerFault(
                f"{name}, line {number}: its signature does not hold ({type(error).__name__}); "
                "wanted the line as it was written. Put the ledger back from its copy"
            ) from error
        if entry["previous"] != previous:
            raise LedgerFault(f"{name}, line {number}: the line before it is not the one it was written after")
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
