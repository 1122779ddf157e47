"""The gate between the fencer and the engine: lets through the calls that fencing needs, about its own cell, only.

`/run/secrets/gate.json`: nodes (names of the cell's PostgreSQL services) and network (name of the cell's data network).
It holds the engine's socket, which is root's, and listens on a socket in a volume that it shares with the fencer;
it speaks to nobody over any network. What it refuses is answered 403 with the reason, and logged.
"""

from __future__ import annotations

import json
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from asp_service.log import Log

from asp_failover.allowed import Refused, Rules
from asp_failover.engine import Engine, EngineFault

SETTINGS = Path("/run/secrets/gate.json")
ENGINE = "/var/run/docker.sock"
BEAT = Path("/tmp/beat")
BEAT_SECONDS = 3.0
BODY_LIMIT = 1024 * 1024  # bytes; a service's specification has some 10,000

log = Log("asp-gate")


class Handler(BaseHTTPRequestHandler):
    """One connection of the fencer's. `rules` is set by `Gate`."""

    timeout = 10  # seconds that a connection may take to say what it wants
    server: Gate

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        try:
            status, content = self.server.rules.answer(self.command, self.path, self._body())
        except Refused as refusal:
            log.warning(f"refused: {refusal}")
            status, content = 403, json.dumps({"message": f"refused: {refusal}"}).encode()
        except EngineFault as fault:
            status, content = 502, json.dumps({"message": str(fault)}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if content:  # to a kill there is none, and the fencer has hung up by then
            self.wfile.write(content)

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_LIMIT or "Transfer-Encoding" in self.headers:
            raise Refused(f"body of {length[:20]} bytes: wanted at most {BODY_LIMIT}, of a length that is said")
        try:
            return json.loads(self.rfile.read(int(length)) or b"null")
        except ValueError as error:
            raise Refused("body: wanted JSON") from error

    def address_string(self) -> str:
        return "fencer"

    def log_message(self, format: str, *args: Any) -> None:
        """Ten calls a second are not logged."""


class Gate(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens for the fencer. The folder lets its group in and nobody else; the socket itself is open to all there."""

    daemon_threads = True

    def __init__(self, path: Path, rules: Rules):
        path.unlink(missing_ok=True)  # left by the former container
        super().__init__(str(path), Handler)
        path.chmod(0o666)
        self.rules = rules

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, _ = super().get_request()
        return connection, ("fencer", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line for a connection that ended early, such as that of a fencer that was stopped."""
        log.warning(f"a call was not answered: {sys.exception()!r}")


def run(path: Path) -> int:
    """Serve forever."""
    settings = json.loads(SETTINGS.read_text())
    engine = Engine(ENGINE)
    gate = Gate(path, Rules(settings["nodes"], settings["network"], engine))
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    while True:
        try:
            engine.node()
            BEAT.touch()
        except EngineFault as fault:
            log.error(f"the engine does not answer: {fault}")
        time.sleep(BEAT_SECONDS)
