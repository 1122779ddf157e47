"""One system in open transactions does not take the connections of the municipality's other systems.

PostgreSQL and PgBouncer, each in a container of its own; they share a network of nobody else. TLS and passwords are
left out: they are not what is looked at.
"""

import io
import re
import secrets
import tarfile
import time

import docker
import pytest

from inventory.models import Caps
from stacks.configs import dbproxy
from stacks.images.build import recipe
from tests.support.polling import poll

CAPS = Caps()
ROLES = ("t16054_portal", "t16054_irat")
POSTGRES = {
    "etc/asp/postgresql.conf": (
        "data_directory = '/data/pgdata'\nhba_file = '/etc/asp/pg_hba.conf'\nident_file = '/etc/asp/pg_ident.conf'\n"
        "listen_addresses = '127.0.0.1'\nunix_socket_directories = '/run/asp'\n"
    ),
    "etc/asp/pg_hba.conf": "local all postgres peer\nhost t16054 all 127.0.0.1/32 trust\n",
    "etc/asp/pg_ident.conf": "",
    "run/secrets/bootstrap.sql": "".join(f"CREATE ROLE {role} LOGIN;\n" for role in ROLES)
    + "CREATE DATABASE t16054;\n",
}
HOLD = "psql -X -h 127.0.0.1 -p 6432 -U t16054_portal t16054 -c 'BEGIN; SELECT pg_sleep(25)'"
WAIT = 10  # seconds after which the pooler refuses whoever waits for a connection
ASK = "psql -XAt -h 127.0.0.1 -p 6432 -U t16054_irat t16054 -c 'SELECT 7'"


def pooler_configuration():
    """The product's own, but for TLS, passwords and the way to the leader."""
    text = dbproxy.pgbouncer_ini(CAPS, {})
    text = re.sub(r"(?m)^(client|server)_tls_.*\n|^auth_(user|query|dbname).*\n", "", text)
    text = text.replace("auth_type = scram-sha-256", "auth_type = trust")
    text = re.sub(r"(?m)^auth_file = .*$", "auth_file = /etc/asp/users", text)
    return text.replace(f"port={dbproxy.Port.LEADER.value} auth_dbname=pbauth", "port=5432")


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text), 0o644
            bundle.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def start():
    client, name, containers = docker.from_env(timeout=60), f"asp-test-pool-{secrets.token_hex(4)}", []

    def one(image, network, files, command=None):
        container = client.containers.create(
            recipe.reference(image),
            command,
            name=f"{name}-{image}",
            network_mode=network,
            init=True,
            cap_drop=["ALL"],
            tmpfs={"/run/asp": "mode=1777", "/tmp": "mode=1777", "/data": "uid=5432,gid=5432,mode=0700"},
        )
        containers.append(container)
        container.put_archive("/", archive(files))
        container.start()
        return container

    yield one
    for container in reversed(containers):
        container.remove(force=True, v=True)


@pytest.fixture
def pooler(start):
    node = start("postgres", "none", POSTGRES)
    poll(lambda: node.exec_run(["asp-postgres-healthy"])[0], lambda code: code == 0, 60, "PostgreSQL is ready")
    users = "".join(f'"{role}" ""\n' for role in ROLES)
    files = {"etc/asp/pgbouncer.ini": pooler_configuration(), "etc/asp/users": users}
    pooler = start("dbproxy", f"container:{node.id}", files, ["pgbouncer", "/etc/asp/pgbouncer.ini"])
    poll(lambda: pooler.exec_run(["sh", "-c", ASK])[1], lambda answer: answer == b"7\n", 30, "the pooler answers")
    return pooler


def busy(pooler):
    """Server connections in transactions of the portal's login, as the pooler counts them."""
    ask = ["psql", "-XAtqh", "/run/asp", "-p", "6432", "-U", "pgbouncer", "-c", "SHOW SERVERS", "pgbouncer"]
    rows = [line.split("|") for line in pooler.exec_run(ask)[1].decode().splitlines()]
    return sum(1 for row in rows if row[1:3] == ["t16054_portal", "t16054"] and "active" in row)


def test_a_system_in_open_transactions_leaves_connections_to_the_others(pooler):
    for _ in range(2 * CAPS.connections):
        pooler.exec_run(["sh", "-c", HOLD], detach=True)
    poll(lambda: busy(pooler), lambda count: count >= CAPS.connections_of_system, 20, "they hold what they get")
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        assert pooler.exec_run(["sh", "-c", ASK])[1] == b"7\n"
        seconds.append(time.monotonic() - began)
    assert max(seconds) < WAIT / 2, seconds
