"""A Patroni's REST interface."""

from __future__ import annotations

import http.client
import json
from typing import Any

from asp_service import tls

PORT = 8008


def call(method: str, path: str, body: Any = None, host: str = "localhost", timeout: float = 5.0) -> tuple[int, Any]:
    """Status and decoded body (text where it is no JSON) of one request; both sides show their certificates."""
    return ask(http.client.HTTPSConnection(host, PORT, timeout=timeout, context=tls.client()), method, path, body)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The same on a connection that is there, and closed with it."""
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text
