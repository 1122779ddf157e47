"""Configuration of a node of three: Patroni's own file, and what the cluster as a whole is set to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from inventory.names import Port
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.configs.postgres import DATA, REPLICATOR, Server, settings

# Settings that Patroni takes from the cluster alone, because standbys must not have less of them than the leader.
SHARED = ("max_connections", "wal_level", "wal_log_hints")
PREFIX = "/service"


@dataclass(frozen=True)
class Timing:
    """Seconds. `ttl`: how long a leader's key outlives its last renewal; the others: pace and patience of a node."""

    ttl: int = 30
    loop_wait: int = 5
    retry_timeout: int = 10


# Patroni's own patience: a dead leader is fenced within a second, so nothing is gained by one that a slow disk or a
# busy machine exhausts; the ttl bounds a failover when fencing is refused. A fenced node rejoins in about three loops.
FENCED = Timing()


def scope(cell_id: str) -> str:
    """The prefix of a cell's keys in etcd, with both slashes: `/service/baz1/`."""
    return f"{PREFIX}/{cell_id}/"


def shared_json(server: Server, timing: Timing = FENCED) -> str:
    """`dcs.json`: what all nodes share; the leader writes it to etcd whenever it differs."""
    parameters = {name: value for name, value in settings(server).items() if name in SHARED}
    config = {
        **vars(timing),
        "maximum_lag_on_failover": 1048576,
        # Nothing is acknowledged that only one node has; without a standby nothing is acknowledged at all. Whichever
        # standby is first acknowledges, and the one that has more takes over (ADR 0030).
        "synchronous_mode": "quorum",
        "synchronous_mode_strict": True,
        "synchronous_node_count": 1,
        # A leader that etcd does not answer stays one while every other node tells it that it knows of no other.
        "failsafe_mode": True,
        # A crashed PostgreSQL is not waited for: the standby has every acknowledged row.
        "primary_start_timeout": 0,
        "primary_stop_timeout": 10,
        "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": parameters},
    }
    return json.dumps(config, indent=1, sort_keys=True)


@dataclass(frozen=True)
class Node:
    """One node: `name` of its service, its cell, `members` of etcd (service names), password of user `patroni`."""

    name: str
    cell_id: str
    members: Sequence[str]
    password: str = field(repr=False)


def patroni_yml(node: Node, server: Server) -> str:
    """`patroni.yml`: who this node is, how it reaches etcd and its peers (TLS everywhere), its server's settings."""
    client = {"sslmode": "verify-full", "sslcert": CERTIFICATE_FILE, "sslkey": KEY_FILE, "sslrootcert": ROOT_FILE}
    peer = {"username": REPLICATOR, **client}
    own = {name: value for name, value in settings(server).items() if name not in SHARED}
    # After a failover nothing is acknowledged until the other standby streams from the new leader, so it should not
    # wait five seconds (the default) between two attempts.
    own["wal_retrieve_retry_interval"] = "200ms"
    config = {
        "scope": node.cell_id,
        "namespace": f"{PREFIX}/",
        "name": node.name,
        "log": {"level": "INFO", "format": "%(asctime)s %(levelname)s: %(message)s"},
        "restapi": {
            "listen": f"0.0.0.0:{Port.PATRONI.value}",
            "connect_address": f"{node.name}:{Port.PATRONI.value}",
            "certfile": CERTIFICATE_FILE,
            "keyfile": KEY_FILE,
            "cafile": ROOT_FILE,
            "verify_client": "required",
        },
        "ctl": {"certfile": CERTIFICATE_FILE, "keyfile": KEY_FILE, "cacert": ROOT_FILE},
        "etcd3": {
            "hosts": [f"{member}:{Port.ETCD.value}" for member in node.members],
            "protocol": "https",
            "cacert": ROOT_FILE,
            "username": "patroni",
            "password": node.password,
        },
        "postgresql": {
            "listen": f"0.0.0.0:{Port.POSTGRES.value}",
            "connect_address": f"{node.name}:{Port.POSTGRES.value}",
            "use_unix_socket": True,
            "use_unix_socket_repl": False,
            "data_dir": DATA,
            "bin_dir": "/usr/lib/postgresql/17/bin",
            "pgpass": "/run/asp/pgpass",
            "authentication": {"superuser": {"username": "postgres"}, "replication": peer, "rewind": peer},
            "parameters": {k: v for k, v in own.items() if k not in ("listen_addresses", "port")},
            # A clone asks for a checkpoint; the default spreads it over minutes, in which the cell lacks a node.
            "basebackup": [{"checkpoint": "fast"}],
        },
        "watchdog": {"mode": "off"},  # no device inside a container; the fencer proves instead
        "tags": {},
    }
    return yaml.safe_dump(config, sort_keys=False)
