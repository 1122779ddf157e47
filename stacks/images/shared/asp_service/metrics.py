"""Metrics as Prometheus text, and the HTTPS server that hands them out.

Written by hand, because Debian's python3-prometheus-client would be a package more in two images and a library more in
the tests for these few lines.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asp_service import tls

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Values by name and labels. `help_texts`: name → what it tells; a name that ends in `_total` is a counter."""

    def __init__(self, help_texts: Mapping[str, str]):
        self._help = help_texts
        self._values: dict[tuple[str, Labels], float] = {}

    def set(self, name: str, value: float, **labels: str) -> None:
        """Give a metric its present value."""
        self._values[(name, tuple(labels.items()))] = value

    def add(self, name: str, **labels: str) -> None:
        """Count one more."""
        key = (name, tuple(labels.items()))
        self._values[key] = self._values.get(key, 0) + 1

    def text(self) -> str:
        """All of it; help and type of a name stand before its first value."""
        lines: list[str] = []
        last = ""
        for (name, labels), value in sorted(dict(self._values).items()):
            if name != last:
                kind = "counter" if name.endswith("_total") else "gauge"
                lines += [f"# HELP {name} {self._help[name]}", f"# TYPE {name} {kind}"]
                last = name
            label_text = ",".join(f'{label}="{text}"' for label, text in labels)
            lines.append(f"{name}{{{label_text}}} {value}" if label_text else f"{name} {value}")
        return "\n".join(lines) + "\n"


def serve(text: Callable[[], str], port: int) -> None:
    """Answer `/metrics` from a thread, over TLS, for holders of a certificate of our root only."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            exists = self.path == "/metrics"
            body = text().encode() if exists else b""
            self.send_response(200 if exists else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)
    server.socket = tls.server().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
