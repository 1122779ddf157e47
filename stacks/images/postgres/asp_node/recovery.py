"""What this node's PostgreSQL shows of itself: why it does not serve, and whether it is still there."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from typing import Any

from asp_node import places

# Settings of which a standby needs as much as the WAL says that its leader has, and how pg_controldata calls them.
AS_THE_LEADER = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}


def missing_wal(starting: bool) -> str | None:
    """The WAL segment at which recovery stands while no stream brings any; None when it does not wait.

    `starting`: PostgreSQL lets nobody in yet. One that was told of no leader looks into its own folder forever, under
    the title of one that replays; how long it has worked tells the two apart, and is part of the answer.
    """
    titles, worked = _processes()
    if any("walreceiver" in title and "streaming" in title for title in titles):
        return None
    for title in titles:
        segment = title.rsplit(" ", 1)[-1]
        if title.startswith("postgres:") and " startup waiting for " in title:
            return segment
        if starting and title.startswith("postgres:") and " startup recovering " in title:
            return f"{segment} ({worked // os.sysconf('SC_CLK_TCK')} s of replay)"
    return None


def _processes() -> tuple[list[str], int]:
    """Titles of all processes, and the clock ticks that the one in recovery has worked."""
    titles, worked = [], 0
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit():
                with open(f"/proc/{entry}/cmdline", "rb") as stream:
                    titles.append(stream.read().replace(b"\0", b" ").decode(errors="replace").strip())
                if " startup recovering " in titles[-1]:
                    worked = sum(map(int, _stat(int(entry))[11:13]))
    return titles, worked


def controldata() -> dict[str, str]:
    """What pg_controldata says of this node: title → value."""
    argv = ["pg_controldata", str(places.DATA)]
    output = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout
    return {title: value.strip() for title, _, value in (line.partition(":") for line in output.splitlines())}


def unreachable() -> str | None:
    """Why a standby that has not begun to serve never will: it wants WAL behind the end of a former timeline.

    Seen after a rewind from a leader that died before its last WAL, of which nothing was acknowledged, had reached
    another node: what was copied is newer than the end that the next leader gave to that timeline.
    """
    histories = sorted((places.DATA / "pg_wal").glob("*.history"))
    if not histories:
        return None
    control = controldata()
    target, timeline = control["Minimum recovery ending location"], control["Min recovery ending loc's timeline"]
    with histories[-1].open(encoding="utf-8") as stream:
        ends = dict(line.split()[:2] for line in stream if line.strip() and not line.startswith("#"))
    if timeline in ends and _position(target) > _position(ends[timeline]):
        return f"must replay to {target}, but timeline {timeline} ended at {ends[timeline]}"
    return None


def crashed() -> bool:
    """Whether PostgreSQL's first process is gone without having ended: its end would have removed its file."""
    try:
        with (places.DATA / "postmaster.pid").open(encoding="utf-8") as stream:
            number = abs(int(stream.readline()))  # of a server of one user it is written below zero
    except (FileNotFoundError, ValueError):
        return False
    try:
        return _stat(number)[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def lowered(reason: Mapping[str, Mapping[str, Any]], control: Mapping[str, str]) -> bool:
    """Whether the WAL asks for more of a setting than it is changed to. `reason`: Patroni's, setting → old and new."""
    return any(
        int(change["new_value"]) < int(control[AS_THE_LEADER[name]])
        for name, change in reason.items()
        if name in AS_THE_LEADER
    )


def _position(lsn: str) -> list[int]:
    """A place in the WAL, as `0/11076AF0`, as something that compares."""
    return [int(half, 16) for half in lsn.split("/")]


def _stat(number: int) -> list[str]:
    """Fields of /proc/<number>/stat from the state on; the name before may hold spaces."""
    with open(f"/proc/{number}/stat", encoding="ascii", errors="replace") as stream:
        return stream.read().rpartition(")")[2].split()
