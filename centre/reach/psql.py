"""Running SQL inside a cell's PostgreSQL node. The SQL, with whatever is secret in it, goes over standard input."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO, TypedDict, Unpack

from centre.reach.leader import leader
from centre.reach.runtime import Runtime, RuntimeFault
from inventory import paths
from inventory.names import CellNames
from stacks.configs.postgres import AUTH_DATABASE, PROVISIONER

# No startup file, unaligned, tuples only, quiet; an error ends the script; errors quote no SQL (it may hold verifiers).
PSQL = ["psql", "-XAtq", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"]


LOCK_SECONDS = 600  # to wait for another writer: as long as a play waits for its turn


class ScriptOptions(TypedDict, total=False):
    """What `CellSql.script` takes beside the SQL."""

    database: str
    role: str
    timeout: float


class CellSql:
    """SQL at the node of one cell that takes writes. `runtime.Unreachable` and `RuntimeFault` pass through."""

    def __init__(self, runtime: Runtime, cell_id: str):
        self.runtime = runtime
        self.cell_id = cell_id
        self.cell: CellNames = runtime.register.cell(cell_id)
        self._holder: int | None = None  # thread that holds the lock

    @property
    def node(self) -> str:
        """Service name of the node."""
        return leader(self.runtime, self.cell)

    def script(self, sql: str, database: str = AUTH_DATABASE, role: str = PROVISIONER, timeout: float = 300) -> str:
        """Run a psql script (it may `\\connect`); what it printed. RuntimeFault with PostgreSQL's message otherwise."""
        argv = [*PSQL, f"--username={role}", f"--dbname={database}", "--file=-"]
        return self.runtime.check(self.node, argv, stdin=sql, timeout=timeout)

    def rows(self, sql: str, **options: Unpack[ScriptOptions]) -> list[Any]:
        """Values of a script whose every row is one JSON value on one line."""
        return [json.loads(line) for line in self.script(sql, **options).splitlines() if line.strip()]

    @contextlib.contextmanager
    def lock(self, wait: float = LOCK_SECONDS) -> Iterator[None]:
        """One writer of a cell's tenants at a time: a template that somebody reads cannot be cloned.

        Who holds it may take it again. RuntimeFault, naming the holder, when it is not free within `wait` seconds.
        """
        if self._holder == threading.get_ident():
            yield
            return
        folder = paths.environment_dir(self.runtime.register.environment.id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / f"{self.cell_id}.lock").open("a+") as stream:
            deadline = time.monotonic() + wait
            while not _locked(stream):
                if time.monotonic() > deadline:
                    stream.seek(0)
                    holder = stream.read() or "another process"
                    raise RuntimeFault(
                        f"cell {self.cell_id}: seen after {wait:g} s: {holder} works on its tenants; wanted: nobody. "
                        "Wait for it, then run this again"
                    )
                time.sleep(0.1)
            stream.truncate(0)
            stream.write(f"process {os.getpid()}")
            stream.flush()
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = None


def _locked(stream: TextIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
