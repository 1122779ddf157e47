"""A cell of two nodes as a fencer sees it, in memory: etcd's keys and logins, and where its programs begin."""

from __future__ import annotations

import json
from typing import NamedTuple

from asp_failover import fence
from asp_failover.etcd import Etcd, EtcdFault, decode, encode

NODES = ["asp-x-baz1-postgres-1", "asp-x-baz1-postgres-2"]
OLD, NEW = NODES
SCOPE = "/service/baz1/"
LEADER = fence.Leader(f"{SCOPE}leader", OLD, 41)


class Pair(NamedTuple):
    """`modified`: revision of the last change, 0 where that is the creation."""

    value: str
    created: int
    modified: int = 0
    lease: int = 0


class Wire(Etcd):
    """etcd with its keys in memory; tests/live/stacks/test_etcd_keys.py is the other side."""

    def __init__(self):
        self.revision = 100
        self.keys = {
            f"{SCOPE}leader": (OLD, 41),
            f"{SCOPE}sync": (json.dumps({"leader": OLD, "sync_standby": NEW}), 7),
        }

    def put(self, key, value, lease=False):
        self.revision += 1
        created = Pair(*self.keys[key]).created if key in self.keys else self.revision
        self.keys[key] = Pair(value, created, self.revision, 7 if lease else 0)

    def call(self, path, body):
        return {
            "/v3/kv/range": self._range,
            "/v3/kv/deleterange": self._delete_range,
            "/v3/kv/txn": self._transaction,
        }[path](body)

    def _between(self, body):
        assert set(body) == {"key", "range_end"}, "anything else may be an answer that no quorum confirmed"
        start, end = decode(body["key"]), decode(body["range_end"])
        return {key: Pair(*self.keys[key]) for key in sorted(self.keys) if start <= key < end}

    def _range(self, body):
        rows = [
            _without_zeros(
                {
                    "key": encode(key),
                    "value": encode(pair.value),
                    "create_revision": str(pair.created),
                    "mod_revision": str(pair.modified or pair.created),
                    "lease": str(pair.lease),
                }
            )
            for key, pair in self._between(body).items()
        ]
        return {"kvs": rows, "count": str(len(rows))} if rows else {}

    def _delete_range(self, body):
        keys = self._between(body)
        for key in keys:
            del self.keys[key]
        self.revision += bool(keys)
        return _without_zeros({"deleted": str(len(keys))})

    def _transaction(self, body):
        value, revision = body["compare"]
        assert (value["target"], value["result"]) == ("VALUE", "EQUAL")
        assert (revision["target"], revision["result"]) == ("CREATE", "EQUAL")
        key = decode(value["key"])
        assert key == decode(revision["key"])
        assert body["success"] == [{"request_delete_range": {"key": encode(key)}}]
        same = key in self.keys and tuple(self.keys[key][:2]) == (
            decode(value["value"]),
            int(revision["create_revision"]),
        )
        if same:
            del self.keys[key]
            self.revision += 1
        return {"succeeded": True} if same else {}


def _without_zeros(answer):
    """The gateway leaves out what is nothing."""
    return {name: value for name, value in answer.items() if value not in ("", "0")}


class Logins(Wire):
    """Members that require logins. `passwords`: of each; `rights`: prefixes that all but root may write."""

    def __init__(self, passwords, rights=(SCOPE,), user=None, password=""):
        super().__init__()
        self.keys, self.calls = {}, []
        self.passwords, self.rights, self.user, self.password = passwords, rights, user, password

    def call(self, path, body):
        """As etcd 3.5 answers."""
        if self.user is None:
            self._refuse(path, 400, "user name is empty")
        if self.passwords.get(self.user) != self.password:
            reason = "authentication failed, invalid user ID or password"
            raise EtcdFault(f"etcd: login of {self.user} refused: etcdserver: {reason}")
        if path.startswith("/v3/kv/"):
            if self.user != "root" and not any(decode(body["key"]).startswith(right) for right in self.rights):
                self._refuse(path, 403, "permission denied")
            return super().call(path, body)
        if self.user != "root":
            self._refuse(path, 403, "permission denied")
        if path == "/v3/auth/status":
            return {"enabled": True, "authRevision": "3"}
        kind, verb = path.split("/")[-2:]
        if verb == "add" and body["name"] in self.passwords:
            self._refuse(path, 400, f"{kind} name already exists")
        self.calls.append((path, body))
        return {}

    def _refuse(self, path, status, reason):
        raise EtcdFault(f"etcd: {path} refused with {status}: etcdserver: {reason}")
