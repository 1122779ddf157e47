"""The nightly feed to the warehouse: the figures of a system's `feed.py` with a manifest, sent over the chain."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import json
from typing import Any

from django.conf import settings

from systems import tenancy
from systems.chain import job_everywhere, send, sent_last
from systems.shared.parts import FEED

AT = "01:30"  # local time; the day is over in every office by then
KINDS = ("count", "forint")
MOST = 14  # days of feeds that a system catches up on after it was down


def checksum(rows: list[dict[str, Any]]) -> str:
    """SHA-256 of rows as canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def fault(rows: list[dict[str, Any]]) -> str | None:
    """What is wrong with the format of rows, or None."""
    keys = set()
    for index, row in enumerate(rows):
        if set(row) != {"measure", "dimension", "kind", "value"}:
            return f"row {index}: columns are {sorted(row)}, must be measure, dimension, kind and value"
        if row["kind"] not in KINDS:
            return f"row {index}: kind is {row['kind']!r}, must be one of {', '.join(KINDS)}"
        if not isinstance(row["value"], int) or isinstance(row["value"], bool):
            return f"row {index}: value is {row['value']!r}, must be a whole number"
        key = row["measure"], row["dimension"]
        if key in keys:
            return f"row {index}: {' / '.join(key)} comes twice"
        keys.add(key)
    return None


@job_everywhere(part=FEED, at=AT)
def deliver(system: str, today: dt.date) -> None:
    """Send a system's figures of the day before `today`, and of the days since its last feed that have none.

    Nothing where the municipality has no warehouse: nobody would ever take the message. ValueError when the rows have
    the wrong format.
    """
    if not any(entry.id == "adattar" and entry.serves(tenancy.current().ksh) for entry in settings.ASP.catalogue):
        return
    yesterday = today - dt.timedelta(days=1)
    for day in _days_to_send(system, yesterday):
        rows = importlib.import_module(f"systems.{system}.feed").rows(day)
        if wrong := fault(rows):
            raise ValueError(f"feed of {system}: {wrong}")
        body = {"day": day, "dataset": system, "rows": rows, "count": len(rows), "sha256": checksum(rows)}
        # Figures of a state are read now, so for a day before yesterday they are not that day's.
        send("adattar", "feed", body | {"late": day < yesterday}, key=f"{system}/{day}")


def _days_to_send(system: str, yesterday: dt.date) -> list[dt.date]:
    """Yesterday and the days since the last feed; only yesterday when the system has never sent one."""
    last = sent_last("adattar", "feed")
    first = dt.date.fromisoformat(last.removeprefix(f"{system}/")) + dt.timedelta(days=1) if last else yesterday
    first = min(max(first, yesterday - dt.timedelta(days=MOST - 1)), yesterday)
    return [first + dt.timedelta(days=n) for n in range((yesterday - first).days + 1)]
