"""Patroni, its keeper and pgBackRest's server under one roof, for as long as Patroni runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading

from asp_service.files import locked

from asp_node import names, places, recovery
from asp_node.founding import found_cluster
from asp_node.keeper import Keeper, keep
from asp_node.places import log

LOCK_SECONDS = 60


def run() -> int:
    """Patroni's exit code; a signal stops PostgreSQL cleanly and hands leadership over."""
    for file in (places.READY, places.ALIVE):
        file.unlink(missing_ok=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with contextlib.ExitStack() as holding:
        try:
            # Every process started here inherits the lock, so it is free only once the last one is gone. Holding it, a
            # postmaster.pid left by a kill is known to be stale; its number may meanwhile be another process's.
            lock = holding.enter_context(locked(places.LOCK, LOCK_SECONDS, inherit=True))
        except TimeoutError:
            log.error(f"/data is still in use by another container after {LOCK_SECONDS} s; stop that one")
            return 1
        (places.DATA / "postmaster.pid").unlink(missing_ok=True)
        return _run(stopped, lock)


def _run(stopped: threading.Event, lock: int) -> int:
    for folder in ("spool", "lock"):
        os.makedirs(f"/run/asp/{folder}", exist_ok=True)
    threading.Thread(target=names.serve, args=(stopped,), daemon=True).start()
    if os.environ.get("ASP_FOUNDER") == "1":
        found_cluster(stopped)
    patroni = subprocess.Popen(["asp-patroni", str(places.SETTINGS)], pass_fds=(lock,))
    keeper = Keeper()
    threading.Thread(target=keep, args=(keeper, stopped), daemon=True).start()
    if os.path.isfile(os.environ.get("PGBACKREST_CONFIG", "")):
        threading.Thread(target=_serve_backups, args=(stopped,), daemon=True).start()
    while patroni.poll() is None and not stopped.wait(0.2):
        if keeper.applied and recovery.crashed():
            # Patroni would see it at its next look, up to five seconds later, and answer no other node meanwhile. A
            # container that ends is proven dead at once: the fencer lets a standby take over.
            log.error("PostgreSQL crashed while it led: this node ends")
            patroni.kill()
            break
    if patroni.poll() is None:
        patroni.terminate()  # stops PostgreSQL cleanly and hands leadership over
    code = patroni.wait()
    log.info(f"Patroni ended with {code}")
    return code


def _serve_backups(stopped: threading.Event) -> None:
    """Backups must never take the database down: the server is started again alone when it dies."""
    while not stopped.is_set():
        code = subprocess.run(["pgbackrest", "server"], check=False).returncode
        if not stopped.wait(1):
            log.warning(f"pgbackrest server ended with {code}, starting it again")
