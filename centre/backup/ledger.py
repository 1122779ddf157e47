"""The ledger of restore drills: `.asp/<env>/drills.jsonl`, a line for each proof (`centre.ledger`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from centre import ledger
from centre.ledger import Entry
from inventory import paths
from inventory.register import Register
from inventory.vault.vault import Secrets


def append(register: Register, secrets: Secrets, proof: Entry) -> Entry:
    """Sign a proof and write it behind the others; the line as written. LedgerFault when the ledger is not sound."""
    return ledger.append(_file(register), secrets, proof)


def read(register: Register, secrets: Secrets) -> list[Entry]:
    """All proofs, oldest first. LedgerFault names the first line that is not as it was written."""
    return ledger.read(_file(register), secrets)


def _file(register: Register) -> Path:
    return paths.environment_dir(register.environment.id) / "drills.jsonl"


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
