"""A PostgreSQL server for a restored cluster: on a socket in the container, reached by nobody else, and unsynced."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from asp_restore import source

SAID_LINES = 20  # of the server's log that are shown when it fails


class Server:
    """The server of one data folder. hot_standby is off: then replay does not ask for the primary's max_connections."""

    def __init__(
        self, data: Path, shared_buffers: str, environment: Mapping[str, str], more: Mapping[str, str] | None = None
    ):
        self._environment = {**environment, "PGHOST": str(source.SCRATCH)}
        self._log = source.SCRATCH / "log"
        access = source.SCRATCH / "pg_hba.conf"
        access.write_text("local all postgres peer\n")
        settings = {
            "data_directory": f"{data}",
            "hba_file": f"{access}",
            "ident_file": f"{data}/pg_ident.conf",
            "listen_addresses": "",
            "unix_socket_directories": f"{source.SCRATCH}",
            "hot_standby": "off",
            "fsync": "off",
            "autovacuum": "off",
            "shared_buffers": shared_buffers,
            **(more or {}),
        }
        file = source.SCRATCH / "postgresql.conf"
        file.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["postgres", "-c", f"config_file={file}"], env=self._environment, stdout=log, stderr=log
            )

    def ask(self, sql: str, database: str = "postgres") -> str | None:
        """What psql prints for a statement (unaligned); None when it has no answer."""
        argv = ["psql", "-XAtq", "--username=postgres", f"--dbname={database}", f"--command={sql}"]
        process = subprocess.run(argv, env=self._environment, capture_output=True, text=True, check=False)
        return process.stdout.strip() if process.returncode == 0 else None

    def require_alive(self) -> None:
        """RestoreFault with its last words when it has ended."""
        if self._process.poll() is not None:
            raise source.RestoreFault(self.words())

    def wait(self) -> int:
        """Its exit code, when it ends."""
        return self._process.wait()

    def words(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-SAID_LINES:])
