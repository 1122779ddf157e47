"""Which backup or verification is due: computed from the settings and pgBackRest's own catalogue alone.

So a stop, a kill or a move of the service neither loses a backup nor makes one twice.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any

from asp_backup.cron import Cron
from asp_backup.repository import Backup

# schedule → types of backup that fulfil it, the last of them being what is taken
KINDS = {"full": ("full",), "differential": ("full", "diff"), "incremental": ("full", "diff", "incr")}


def due(schedules: Mapping[str, Cron], backups: Sequence[Backup], now: dt.datetime) -> str | None:
    """The schedule (the first of KINDS) whose last firing no backup has followed, or None.

    `now`: naive local datetime. The first backup of all is taken when a tenant joins; until then nothing is due.
    """
    if not backups:
        return None
    for name, types in KINDS.items():
        fired = schedules[name].latest(now)
        if fired is None:
            continue
        started = (backup["timestamp"]["start"] for backup in backups if backup["type"] in types)
        if max(started, default=0) < time.mktime(fired.timetuple()):
            return name
    return None


def unverified(backups: Sequence[Backup], finding: Mapping[str, Any]) -> bool:
    """Whether a full backup ended after the repository was last whole, or damage was seen since."""
    newest = max((backup["timestamp"]["stop"] for backup in backups if backup["type"] == "full"), default=0)
    return bool(finding["damage"]) or newest > finding["at"]
