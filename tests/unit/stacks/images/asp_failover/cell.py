"""A cell of two nodes as a fencer sees it, in memory: etcd's keys, and where its programs begin."""

from __future__ import annotations

import json

from asp_failover import fence
from asp_failover.etcd import Etcd, decode, encode

NODES = ["asp-x-baz1-postgres-1", "asp-x-baz1-postgres-2"]
OLD, NEW = NODES
SCOPE = "/service/baz1/"
LEADER = fence.Leader(f"{SCOPE}leader", OLD, 41)


class Wire(Etcd):
    """etcd with its keys in memory."""

    def __init__(self):
        self.keys = {
            f"{SCOPE}leader": (OLD, 41),
            f"{SCOPE}sync": (json.dumps({"leader": OLD, "sync_standby": NEW}), 7),
        }

    def call(self, path, body):
        if path == "/v3/kv/range":
            assert set(body) == {"key", "range_end"}, "anything else may be an answer that no quorum confirmed"
            start = decode(body["key"])
            pairs = [(key, pair) for key, pair in self.keys.items() if key.startswith(start)]
            rows = [
                {"key": encode(k), "value": encode(v), "create_revision": str(r), "mod_revision": str(r)}
                for k, (v, r) in pairs
            ]
            return {"kvs": rows} if rows else {}
        assert path == "/v3/kv/txn"
        value, revision = body["compare"]
        assert (value["target"], value["result"]) == ("VALUE", "EQUAL")
        assert (revision["target"], revision["result"]) == ("CREATE", "EQUAL")
        key = decode(value["key"])
        same = self.keys.get(key) == (decode(value["value"]), int(revision["create_revision"]))
        if same:
            del self.keys[key]
        return {"succeeded": True} if same else {}
