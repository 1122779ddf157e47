"""Patroni of the image does what its fake in the node's unit tests does: a leader and a standby in one container."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import sys

import docker
import pytest
import yaml

from inventory import paths
from stacks.images.build import recipe
from tests.contracts.patroni import RESTART, PatroniContract, members, own
from tests.support.containers import archive
from tests.support.polling import poll

with pytest.MonkeyPatch.context() as patch:
    folders = [str(paths.ROOT / "stacks" / "images" / name) for name in ("postgres", "shared")]
    patch.setattr(sys, "path", [*folders, *sys.path])
    from asp_node import patroni_api

pytestmark = pytest.mark.long  # two minutes of what changes with a new Patroni only
CONFIG = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "synchronous_mode": "quorum",
    "synchronous_mode_strict": True,
    "postgresql": {"parameters": {"max_connections": 100}},
}
PORTS = {"n1": 8008, "n2": 8009}
START = "patroni /etc/asp/n1.yml & until test -e /tmp/led; do sleep 0.1; done; patroni /etc/asp/n2.yml"


def settings(name):
    number = PORTS[name]
    user = {"username": "postgres"}
    server = {
        "listen": f"127.0.0.1:{number - 2000}",
        "connect_address": f"127.0.0.1:{number - 2000}",
        "data_dir": f"/data/{name}",
        "bin_dir": "/usr/lib/postgresql/17/bin",
        "pgpass": f"/tmp/{name}.pgpass",
        "authentication": {"superuser": user, "replication": user, "rewind": user},
        "parameters": {"fsync": "off", "shared_buffers": "16MB", "unix_socket_directories": "/tmp"},
        "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
        "basebackup": [{"checkpoint": "fast"}],
    }
    return {
        "scope": "contract",
        "name": name,
        "restapi": {"listen": f"0.0.0.0:{number}", "connect_address": f"127.0.0.1:{number}"},
        "etcd3": {"hosts": ["127.0.0.1:2379"], "protocol": "http"},
        "bootstrap": {"dcs": CONFIG, "initdb": ["data-checksums", {"encoding": "UTF8"}]},
        "postgresql": server,
    }


class Cell:
    """etcd and, in its network, both nodes; in memory, on ports of this machine's own."""

    config = CONFIG

    def __init__(self):
        client, token = docker.from_env(timeout=60), secrets.token_hex(4)
        self._containers = []
        self._create = client.containers.create
        try:
            self._start(f"asp-contract-patroni-{token}")
        except BaseException:
            self.remove()
            raise

    def _start(self, name):
        etcd = self._create(
            recipe.reference("etcd"),
            ["etcd", "--data-dir=/data/etcd"],
            name=f"{name}-etcd",
            cap_drop=["ALL"],
            ports={f"{port}/tcp": ("127.0.0.1", None) for port in PORTS.values()},
            tmpfs={"/data": "uid=5380,gid=5380,mode=0700"},
        )
        self._containers.append(etcd)
        etcd.start()
        etcd.reload()
        self.ports = {node: etcd.ports[f"{port}/tcp"][0]["HostPort"] for node, port in PORTS.items()}
        nodes = self._create(
            recipe.reference("postgres"),
            # The other one starts when the leader is there, so that it is always the same who leads.
            ["sh", "-c", START],
            name=name,
            network_mode=f"container:{etcd.id}",
            init=True,
            cap_drop=["ALL"],
            tmpfs={"/data": "uid=5432,gid=5432,mode=0700"},
        )
        self._containers.insert(0, nodes)
        nodes.put_archive("/", archive({f"etc/asp/{n}.yml": yaml.safe_dump(settings(n)) for n in PORTS}))
        nodes.start()
        poll(lambda: self._status("n1", "/primary"), lambda status: status == 200, 120, "n1 leads")
        assert nodes.exec_run(["touch", "/tmp/led"])[0] == 0
        self.settle()

    def _status(self, name, path):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.call(name, "GET", path)[0]
        return None

    def call(self, name, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.ports[name]), timeout=120)
        return patroni_api.ask(connection, method, path, body)

    def settle(self):
        """Back to CONFIG, whatever a test left."""
        poll(lambda: self._status("n2", "/patroni"), lambda status: status == 200, 120, "n2 answers")
        assert self.call("n1", "PUT", "/config", CONFIG)[0] == 200
        # Two looks: the first may be made before a member read what it is set to.
        poll(self._restart_what_is_due, bool, 120, "both run with what is wanted, and the standby streams", pause=1.5)

    def _restart_what_is_due(self):
        due = [name for name in PORTS if own(self, name).get("pending_restart")]
        for name in due:
            self.call(name, "POST", "/restart", RESTART)
        standby = members(self).get("n2", {})
        return not due and (standby.get("state"), standby.get("role")) == ("streaming", "quorum_standby")

    def remove(self):
        for container in self._containers:
            container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def both():
    cell = Cell()
    yield cell
    cell.remove()


@pytest.fixture
def cell(both):
    both.settle()
    return both


class TestPatroni(PatroniContract):
    pass
