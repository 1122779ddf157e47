"""The whole cluster of a cell, beside what its first node's volume holds and then in its place.

Recovery ends here and not in the node, whose health check would end a long one. The archiver is on and always refused,
so that the new timeline's history waits in the cluster for the node, which archives it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from asp_service.files import locked

from asp_restore.server import Server
from asp_restore.source import RestoreFault, configure, restore

VOLUME, PEERS = Path("/data"), Path("/peers")
NAME = "pgdata"
LOCK_SECONDS = 60
PAUSE = 0.2
UNARCHIVED = {"archive_mode": "on", "archive_command": "/bin/false"}
OF_RECOVERY = ("restore_command", "recovery_target_time", "recovery_target_action")


@dataclass(frozen=True)
class Request:
    """`size`: bytes of the cluster; `stamp`: end of the name that what was there gets; `until` as in `tenant`."""

    stanza: str
    size: int
    stamp: str
    until: str | None = None


def run(request: Request) -> int:
    """Restore, replay and put in place; prints `{"state": "replayed"}` then, and waits to be removed."""
    with contextlib.ExitStack() as holding:
        try:
            holding.enter_context(locked(VOLUME / "lock", LOCK_SECONDS))
        except TimeoutError:
            raise RestoreFault("the data folder is still in use by the node") from None
        _bring_back(request)
        print(json.dumps({"state": "replayed"}), flush=True)
        signal.pause()
    return 0


def _bring_back(request: Request) -> None:
    new = VOLUME / f"{NAME}.new"
    environment = configure(request.stanza, new)
    if new.exists():
        shutil.rmtree(new)
    if (free := shutil.disk_usage(VOLUME).free) <= request.size:
        raise RestoreFault(f"the volume has {free} bytes free, wanted more than {request.size}")
    new.mkdir(mode=0o700)
    process = restore(request.stanza, "preserve", request.until, environment)
    if process.returncode != 0:
        raise RestoreFault(f"pgbackrest restore exited with {process.returncode}: {process.stderr.strip()}")
    _replay(new, environment)
    _put_in_place(new, request.stamp)


def _replay(new: Path, environment: dict[str, str]) -> None:
    server = Server(new, "256MB", environment, UNARCHIVED)
    while server.ask("SELECT pg_is_in_recovery()") != "f":
        server.require_alive()
        time.sleep(PAUSE)
    for setting in OF_RECOVERY:
        if server.ask(f"ALTER SYSTEM RESET {setting}") is None:
            raise RestoreFault(f"ALTER SYSTEM RESET {setting} was refused:\n{server.words()}")
    stop = ["pg_ctl", f"--pgdata={new}", "--mode=fast", "--wait", "--timeout=600", "stop"]
    stopped = subprocess.run(stop, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if stopped.returncode != 0:
        raise RestoreFault(f"the server could not be stopped: {stopped.stderr.strip()}\n{server.words()}")
    server.wait()


def _put_in_place(new: Path, stamp: str) -> None:
    """Each volume's former cluster aside, then the new one under the cluster's name; on disk before it is told."""
    subprocess.run(["sync", "-f", str(VOLUME)], check=True)
    for volume in (VOLUME, *(sorted(PEERS.iterdir()) if PEERS.is_dir() else ())):
        if (volume / NAME).exists():
            os.rename(volume / NAME, volume / f"{NAME}.before_{stamp}")
    os.rename(new, VOLUME / NAME)
    os.sync()
