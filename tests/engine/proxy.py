"""A Docker daemon that misbehaves: forwards to the real one until a chosen request."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import socket
import socketserver
import threading
from pathlib import Path
from typing import Self

REAL = "/var/run/docker.sock"
LATE = 1.5  # seconds


class FlakyDaemon:
    """Serves on a socket. `how`: `vanish` (closes without a word from then on), `error` (answers 500),
    `lose` (forwards, and drops the answer), `late` (breaks off, and forwards after `LATE` seconds all the same),
    `hang` (never answers). `after`: matching requests that go well. `fail_on`: method and path, as a pattern.
    """

    def __init__(self, path: Path, fail_on: str, after: int, how: str):
        self.url = f"unix://{path}"
        self._fail_on, self._left, self._how = fail_on, after, how
        self._gone = False
        self._ended = threading.Event()
        self._lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                outer.serve(self)

            do_GET = do_POST = do_DELETE = do_PUT = handle_request

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                return

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self._server = Server(str(path), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _verdict(self, line: str) -> str:
        with self._lock:
            if self._gone:
                return "vanish"
            if not re.match(self._fail_on, line):
                return "forward"
            if self._left > 0:
                self._left -= 1
                return "forward"
            self._gone = self._how == "vanish"
            return self._how

    def serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        verdict = self._verdict(f"{handler.command} {handler.path}")
        if verdict == "vanish":
            handler.close_connection = True
            return
        if verdict == "hang":
            self._ended.wait()
            handler.close_connection = True
            return
        if verdict == "late":
            request = (handler.command, handler.path, dict(handler.headers), body)
            threading.Timer(LATE, forward, request).start()
            handler.close_connection = True
            return
        if verdict == "error":
            status, content = 500, json.dumps({"message": "out of order"}).encode()
        else:
            status, content = forward(handler.command, handler.path, dict(handler.headers), body)
        if verdict == "lose":
            handler.close_connection = True
            return
        with contextlib.suppress(BrokenPipeError):
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)


def forward(method: str, path: str, headers: dict, body: bytes) -> tuple[int, bytes]:
    """Status and body of the real daemon's answer."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(REAL)
    connection.request(method, path, body=body, headers={**headers, "Connection": "close"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content
