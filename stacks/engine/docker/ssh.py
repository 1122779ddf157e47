"""A daemon behind SSH, the way the docker command reaches it: `ssh <host> docker system dial-stdio`."""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

from stacks.engine.errors import ProviderError

DIAL = "docker system dial-stdio"


class Tunnel:
    """A local socket; each connection to it becomes an `ssh` process with that connection as its input and output.

    `host`: `ssh://[user@]name[:port]`. `options`: further arguments of ssh (the provider's `sshOpts`).
    """

    def __init__(self, host: str, options: list[str]):
        parts = urlsplit(host)
        if not parts.hostname:
            raise ProviderError(f"docker host {host!r} names no machine; wanted ssh://[user@]name[:port]")
        if not shutil.which("ssh"):
            raise ProviderError(f"docker host {host} needs the ssh client, and there is none on PATH; install it")
        self._command = ["ssh", "-o", "BatchMode=yes", *options]
        self._command += ["-l", parts.username] if parts.username else []
        self._command += ["-p", str(parts.port)] if parts.port else []
        self._command += ["--", parts.hostname, DIAL]
        folder = tempfile.mkdtemp(prefix="engine-ssh-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self._words = Path(folder, "stderr")
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(f"{folder}/docker.sock")
        self._server.listen()
        self.url = f"unix://{folder}/docker.sock"
        threading.Thread(target=self._serve, name="ssh", daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with connection, self._words.open("ab") as words:
                ends = connection.fileno()
                # Its own session: an interrupt of the engine must not cut an operation under way.
                subprocess.Popen(self._command, stdin=ends, stdout=ends, stderr=words, start_new_session=True)

    def last_words(self) -> str:
        """What ssh complained of last, `""` when nothing."""
        text = self._words.read_text("utf-8", "replace") if self._words.exists() else ""
        return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
