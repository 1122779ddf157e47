"""One municipality's database on its own: every other database comes back as holes, and nothing outlives the container.

Nothing is synced, neither the hole for each file of every other database nor the WAL that replay fetches ahead: what a
restore wrote to a disk was half of its time (docs/cells.md).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from asp_restore.server import Server
from asp_restore.source import RestoreFault, configure, restore

DATA = Path("/data/pgdata")
PRELOAD = "libeatmydata.so"  # syncs nothing
SERVER_SECONDS = 900  # for replay, and until the database lets somebody in
PAUSE = 0.1
NO_SUCH_DATABASE = 80  # pgBackRest's exit code when the backup has no database of a name
NO_ROOM = os.strerror(errno.ENOSPC)
LEAST_ROOM = 2**20  # bytes
AHEAD = {"archive-async": "y", "spool-path": "/data/spool", "archive-get-queue-max": "256MiB"}


@dataclass(frozen=True)
class Request:
    """What comes back. `until`: a moment (ISO, with time zone), else the archive's end.

    `fallback`: a database that every backup has and that is as good as empty. `neighbours`: all others come back too.
    """

    stanza: str
    database: str
    fallback: str
    until: str | None = None
    neighbours: bool = False


def run(request: Request) -> int:
    """Restore and serve until the server ends; prints `{"state": "restored"}` when the database lets somebody in.

    `{"state": "full"}` comes before a RestoreFault whose reason is that /data has no room.
    """
    environment = {**configure(request.stanza, DATA, AHEAD), "LD_PRELOAD": PRELOAD}
    try:
        _fetch(request, environment)
        server = Server(DATA, "64MB", environment)
        _wait(server, request.database)
    except RestoreFault as fault:
        # Of a write that was cut short pgBackRest tells no reason, so the room that is left is looked at as well.
        if NO_ROOM in str(fault) or shutil.disk_usage(DATA.parent).free < LEAST_ROOM:
            print(json.dumps({"state": "full"}), flush=True)
        raise
    print(json.dumps({"state": "restored"}), flush=True)
    return server.wait()


def _fetch(request: Request, environment: dict[str, str]) -> None:
    DATA.mkdir(mode=0o700)
    only = [] if request.neighbours else [f"--db-include={request.database}"]
    process = restore(request.stanza, "off", request.until, environment, *only)
    if process.returncode == NO_SUCH_DATABASE:
        # A database that is younger than the backup: replay brings the whole of it, so the fallback is named instead,
        # and all others come back as holes.
        shutil.rmtree(DATA)
        DATA.mkdir(mode=0o700)
        process = restore(request.stanza, "off", request.until, environment, f"--db-include={request.fallback}")
    if process.returncode != 0:
        raise RestoreFault(f"pgbackrest restore exited with {process.returncode}: {process.stderr.strip()}")


def _wait(server: Server, database: str) -> None:
    count = f"SELECT count(*) FROM pg_database WHERE datname = '{database}'"
    deadline = time.monotonic() + SERVER_SECONDS
    while server.ask("SELECT 1", database) is None:
        if server.ask(count) == "0":
            raise RestoreFault(f"no database {database} at that moment")
        server.require_alive()
        if time.monotonic() > deadline:
            raise RestoreFault(f"{database} lets nobody in after {SERVER_SECONDS} s:\n{server.words()}")
        time.sleep(PAUSE)
