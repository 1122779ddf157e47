"""A small client of etcd's version 3 JSON gateway: login, linearizable reads, transactions. Standard library only."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any

TIMEOUT = 2.0  # seconds for one request to one member
STALE = ("invalid auth token", "revision of auth store is old")


class EtcdFault(Exception):
    """No member answered, or the one that did refused; the message says which and what."""


class Etcd:
    """The cluster behind `hosts` (`name:port`), as `user` with a password (None: before logins are required)."""

    def __init__(
        self, hosts: list[str], root: str, user: str | None = None, password: str = "", timeout: float = TIMEOUT
    ):
        self._hosts = list(hosts)
        self._user, self._password = user, password
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=root)
        self._connection: http.client.HTTPSConnection | None = None
        self._token: str | None = None

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request, at the member that answered last or else at the others in turn; EtcdFault when none does."""
        fault = "no member was asked"
        for _ in range(len(self._hosts)):
            try:
                return self._login_and_post(path, body)
            except (OSError, http.client.HTTPException) as error:
                fault = f"{self._hosts[0]}: {error!r}"
                self.close()
                self._hosts.append(self._hosts.pop(0))
        raise EtcdFault(f"etcd: no member answers {path}; last seen: {fault}")

    def close(self) -> None:
        """Forget connection and login."""
        if self._connection:
            self._connection.close()
        self._connection = self._token = None

    def _login_and_post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for fresh in (False, True):
            if self._user and self._token is None:
                login = {"name": self._user, "password": self._password}
                self._token = self._post("/v3/auth/authenticate", login)[1]["token"]
            status, answer = self._post(path, body)
            if status == 200:
                return answer
            # A token lives five minutes, and dies with the member's memory of it.
            if not fresh and self._user and any(stale in str(answer) for stale in STALE):
                self._token = None
                continue
            break
        message = str(answer.get("message") or answer)
        if status in (500, 503, 504) or "no leader" in message or "timed out" in message:
            raise http.client.HTTPException(message)
        raise EtcdFault(f"etcd: {path} refused with {status}: {message}")

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            host, _, port = self._hosts[0].partition(":")
            self._connection = http.client.HTTPSConnection(host, int(port), timeout=self._timeout, context=self._tls)
        headers = {"Content-Type": "application/json"}
        if self._token and path != "/v3/auth/authenticate":
            headers["Authorization"] = self._token
        self._connection.request("POST", path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        data = answer.read()
        try:
            decoded = json.loads(data)
        except ValueError:
            decoded = {"message": data.decode(errors="replace")}
        if path == "/v3/auth/authenticate" and answer.status != 200:
            raise EtcdFault(f"etcd: login of {self._user} refused: {decoded.get('message')}")
        return answer.status, decoded

    def prefix(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Keys below a prefix, read through the quorum: key → {value, create_revision, mod_revision, lease}."""
        body = {"key": encode(prefix), "range_end": encode(end_of(prefix))}
        entries = {}
        for pair in self.call("/v3/kv/range", body).get("kvs", []):
            entries[decode(pair["key"])] = {
                "value": decode(pair.get("value", "")),
                "create_revision": int(pair["create_revision"]),
                "mod_revision": int(pair["mod_revision"]),
                "lease": int(pair.get("lease", 0)),
            }
        return entries

    def delete_prefix(self, prefix: str) -> int:
        """Delete all keys below a prefix; how many there were."""
        body = {"key": encode(prefix), "range_end": encode(end_of(prefix))}
        return int(self.call("/v3/kv/deleterange", body).get("deleted", 0))

    def delete_if(self, key: str, value: str, create_revision: int) -> bool:
        """Delete a key in one transaction if it still has this value and is still the same one; whether it was."""
        compare = [
            {"key": encode(key), "target": "VALUE", "result": "EQUAL", "value": encode(value)},
            {"key": encode(key), "target": "CREATE", "result": "EQUAL", "create_revision": str(create_revision)},
        ]
        body = {"compare": compare, "success": [{"request_delete_range": {"key": encode(key)}}]}
        return bool(self.call("/v3/kv/txn", body).get("succeeded"))


def encode(text: str) -> str:
    """Text as the gateway wants bytes: base64."""
    return base64.b64encode(text.encode()).decode()


def decode(data: str) -> str:
    return base64.b64decode(data).decode()


def end_of(prefix: str) -> str:
    """The first key behind all that begin with a prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
