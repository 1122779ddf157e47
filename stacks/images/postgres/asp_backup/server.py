"""The service: pgBackRest's TLS server, metrics, and each repository looked at again and again for what is due."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import threading
import time

from asp_service.log import Log
from asp_service.metrics import serve

from asp_backup.metrics import BackupMetrics
from asp_backup.repository import Repository, RepositoryFault
from asp_backup.schedule import KINDS, due, unverified
from asp_backup.settings import Settings
from asp_backup.verify import verify

TICK_SECONDS = 20
RETRY_SECONDS = 300
VERIFY_RETRY_SECONDS = 3600  # it reads the whole repository

log = Log("asp-backup")


class Keeper:
    """Takes the backups that are due, and verifies after each full one."""

    def __init__(self, settings: Settings, metrics: BackupMetrics):
        self._schedules = settings.schedules
        self._metrics = metrics
        self._retry: dict[str, float] = {}
        self._verify_again: dict[str, float] = {}

    def look(self, repository: Repository) -> None:
        """Look at a repository once: take what is due, or else verify it when that is due."""
        number = repository.number
        try:
            backups = repository.backups()
        except RepositoryFault as fault:
            log.warning(str(fault))
            return
        self._metrics.read(number, backups)
        now = time.monotonic()
        name = due(self._schedules, backups, dt.datetime.now())
        if name and now >= self._retry.get(number, 0):
            well = back_up(repository, name)
            self._metrics.ran(number, well)
            if not well:
                self._retry[number] = time.monotonic() + RETRY_SECONDS
        elif now >= self._verify_again.get(number, 0) and unverified(backups, repository.finding()):
            wrong = verify(repository)
            self._verify_again[number] = time.monotonic() + (VERIFY_RETRY_SECONDS if wrong else 0)
            if wrong:
                log.error(f"repository {number} is not proven whole: {wrong}; again in {VERIFY_RETRY_SECONDS} s")


def back_up(repository: Repository, name: str) -> bool:
    """Take the backup that is due; whether all went well."""
    log.info(f"{name} backup is due in repository {repository.number}")
    code = subprocess.run(repository.command(f"--type={KINDS[name][-1]}", "backup"), check=False).returncode
    if code:
        log.error(
            f"{name} backup in repository {repository.number} ended with {code}; next attempt in {RETRY_SECONDS} s"
        )
    return code == 0


def run(settings: Settings) -> int:
    """Serve until a signal asks to stop (0), or until pgBackRest's server ends (1)."""
    os.makedirs("/run/asp/lock", exist_ok=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = subprocess.Popen(["pgbackrest", "server"])
    for repository in settings.repositories:
        repository.folder.mkdir(exist_ok=True)
    metrics = BackupMetrics(settings.repositories)
    serve(metrics.text, settings.metrics_port)
    keeper = Keeper(settings, metrics)
    while not stopped.wait(TICK_SECONDS if server.poll() is None else 0):
        if server.poll() is not None:
            log.error(f"the server ended with {server.returncode}")
            return 1
        for repository in settings.repositories:
            if stopped.is_set():
                break
            keeper.look(repository)
    server.terminate()
    server.wait()
    return 0
