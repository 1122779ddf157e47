"""etcd of the image does what its fake in the fencer's unit tests does."""

from __future__ import annotations

import secrets
import sys
from types import SimpleNamespace

import docker
import pytest

from inventory import paths
from inventory.vault.certificates import leaf, root
from stacks.images.build import recipe
from tests.support.containers import archive
from tests.support.polling import poll

with pytest.MonkeyPatch.context() as patch:
    folders = [str(paths.ROOT / "stacks" / "images" / name) for name in ("etcd", "shared")]
    patch.setattr(sys, "path", [*folders, *sys.path])
    from asp_failover import logins
    from asp_failover.etcd import STALE, Etcd, EtcdFault, encode

    from tests.contracts.etcd import SCOPE, KeysContract, LoginsContract

USERS = {"root": "r", "users": {"patroni": {"password": "p", "write": [SCOPE]}}}


class Member:
    """A member by itself, in memory, on a port of this machine's own."""

    def __init__(self, folder):
        authority = root("contract")
        pair = leaf("etcd", [], authority)
        self.root = folder / "root.crt"
        self.root.write_text(authority.certificate)
        line = [
            "etcd",
            "--name=a",
            "--data-dir=/data/etcd",
            "--cert-file=/etc/asp/tls.crt",
            "--key-file=/etc/asp/tls.key",
        ]
        line += ["--listen-client-urls=https://0.0.0.0:2379", "--advertise-client-urls=https://localhost:2379"]
        self.container = docker.from_env(timeout=60).containers.create(
            recipe.reference("etcd"),
            line,
            name=f"asp-contract-etcd-{secrets.token_hex(4)}",
            cap_drop=["ALL"],
            ports={"2379/tcp": ("127.0.0.1", None)},
            tmpfs={"/data": "uid=5380,gid=5380,mode=0700"},
        )
        self.files = {"etc/asp/tls.crt": pair.chain, "etc/asp/tls.key": pair.key}

    def start(self):
        self.container.put_archive("/", archive(self.files))
        self.container.start()
        self.container.reload()
        self.port = self.container.ports["2379/tcp"][0]["HostPort"]
        poll(self._answers, bool, 60, "etcd answers")

    def client(self, user=None, password=""):
        return Etcd([f"localhost:{self.port}"], str(self.root), user, password, timeout=20)

    def _answers(self):
        try:
            return self.client().call("/v3/maintenance/status", {})
        except EtcdFault:
            return None

    def put(self, key, value, lease=False):
        body = {"key": encode(key), "value": encode(value)}
        if lease:
            body["lease"] = self.client().call("/v3/lease/grant", {"TTL": 600})["ID"]
        self.client().call("/v3/kv/put", body)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    members = []

    def go():
        members.append(member := Member(tmp_path_factory.mktemp("etcd")))
        member.start()
        return member

    yield go
    for member in members:
        member.container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def open_member(start):
    return start()


@pytest.fixture(scope="module")
def closed_member(start):
    member = start()
    logins.require_logins(member.client(), USERS)
    member.client().call("/v3/auth/enable", {})
    return member


@pytest.fixture
def keys(open_member):
    open_member.client().delete_prefix("/")
    return SimpleNamespace(etcd=open_member.client(), put=open_member.put)


@pytest.fixture
def login(closed_member):
    return closed_member.client


class TestKeys(KeysContract):
    pass


class TestLogins(LoginsContract):
    def test_a_token_that_it_does_not_know_is_one_to_be_made_anew(self, login):
        etcd = login("root", "r")
        etcd.call("/v3/auth/status", {})
        etcd._token = "unknown.1"
        status, answer = etcd._post("/v3/auth/status", {})
        assert status == 401 and any(word in str(answer) for word in STALE)
        assert etcd.call("/v3/auth/status", {})["enabled"]
