"""Image postgres: killed at any point of its first start it comes up whole at the next one, and once only."""

import io
import json
import secrets
import tarfile
import time

import docker
import pytest

from stacks.configs.postgres import Server, bootstrap_cell, settings
from stacks.configs.sql import literal
from stacks.images.build import recipe
from tests.support.polling import poll

CONF = """\
data_directory = '/data/pgdata'
hba_file = '/etc/asp/pg_hba.conf'
ident_file = '/etc/asp/pg_ident.conf'
listen_addresses = ''
unix_socket_directories = '/run/asp'
shared_preload_libraries = 'asp_durable'
"""
FILES = {
    "etc/asp/postgresql.conf": CONF,
    "etc/asp/pg_hba.conf": "local all postgres peer\n",
    "etc/asp/pg_ident.conf": "",
    "run/secrets/bootstrap.sql": (
        "CREATE TABLE IF NOT EXISTS boots (at timestamptz DEFAULT now());\nINSERT INTO boots DEFAULT VALUES;\n"
    ),
}
# Seconds after the start at which it is killed; a whole first start takes 1 to 3.
KILLED_AFTER = (0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6)


@pytest.fixture
def node():
    """Starts containers on one new volume; everything is removed afterwards. They hold FILES as they are then."""
    client = docker.from_env(timeout=60)
    name = f"asp-test-firststart-{secrets.token_hex(4)}"
    volume = client.volumes.create(name)
    containers = []

    def start(command=None):
        container = client.containers.create(
            recipe.reference("postgres"),
            command,
            name=f"{name}-{len(containers)}",
            network_mode="none",
            init=True,
            cap_drop=["ALL"],
            volumes={name: {"bind": "/data", "mode": "rw"}},
            tmpfs={"/run/asp": "mode=1777", "/tmp": "mode=1777"},
        )
        containers.append(container)
        container.put_archive("/", _archive())
        container.start()
        return container

    yield start
    for container in containers:
        container.remove(force=True, v=True)
    volume.remove(force=True)


def _archive():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for path, text in FILES.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text), 0o644
            bundle.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def psql(container, sql):
    code, out = container.exec_run(["psql", "-XAtqU", "postgres", "-c", sql])
    assert code == 0, out.decode()
    return out.decode().strip()


def wait_ready(container, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if container.exec_run(["asp-postgres-healthy"])[0] == 0:
            return
        time.sleep(0.2)
    raise AssertionError(f"not ready in {seconds} s; it said: {container.logs(tail=20).decode()}")


def test_a_kill_at_any_point_of_the_first_start_is_survived(node):
    victims = []
    for delay in KILLED_AFTER:
        victims.append(node())
        time.sleep(delay)  # the fault's moment, not a wait for anything
        victims[-1].kill()
    hits = sum(b"first start: making" in container.logs() for container in victims)
    assert hits >= 2, "no kill fell into the making of the cluster; spread KILLED_AFTER"
    container = node()
    wait_ready(container)
    assert psql(container, "SHOW data_checksums") == "on"
    assert psql(container, "SELECT datlocale FROM pg_database WHERE datname = 'postgres'") == "hu-HU"
    assert container.exec_run(["ls", "/data"])[1].split() == [b"lock", b"pgdata"]


def test_names_sort_as_hungarians_expect(node):
    container = node()
    wait_ready(container)
    names = "Zala,Csaba,Cukor,Árvíz,Arany,Czakó,Ábel,Öt,Olga"  # a and á are one letter at first; cs comes after cz
    sql = f"SELECT string_agg(n, ' ' ORDER BY n) FROM unnest('{{{names}}}'::text[]) n"
    assert psql(container, sql) == "Ábel Arany Árvíz Cukor Czakó Csaba Olga Öt Zala"


def test_a_second_container_waits_for_the_first(node):
    first = node()
    wait_ready(first)
    second = node()
    deadline = time.monotonic() + 20
    while b"flock" not in (processes := second.exec_run(["sh", "-c", "cat /proc/[0-9]*/comm"])[1]):
        assert time.monotonic() < deadline, f"does not wait for the lock; runs: {processes.decode()}"
        time.sleep(0.2)
    assert second.exec_run(["asp-postgres-healthy"])[0] != 0
    assert psql(first, "SELECT count(*) FROM boots") == "1"
    first.stop(timeout=30)
    wait_ready(second)
    assert psql(second, "SELECT count(*) FROM boots") == "2"


def test_a_failing_bootstrap_serves_nothing(node, monkeypatch):
    monkeypatch.setitem(FILES, "run/secrets/bootstrap.sql", "SELECT 1/0;\n")
    container = node()
    assert container.wait(timeout=60)["StatusCode"] == 1
    assert b"the bootstrap SQL failed" in container.logs()


@pytest.mark.parametrize(
    "statement",
    [
        "SET synchronous_commit = off",
        "SET LOCAL synchronous_commit = local",
        "SELECT set_config('synchronous_commit', 'local', false)",
        "ALTER ROLE clerk SET synchronous_commit = off",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SET synchronous_commit = off AS 'SELECT 1'",
    ],
)
def test_only_a_superuser_weakens_durability(node, statement):
    container = node()
    wait_ready(container)
    psql(container, "CREATE ROLE clerk LOGIN")
    allowed = f"SET ROLE clerk; {statement.replace('synchronous_commit', 'work_mem').replace('off', '4096')}"
    psql(container, allowed.replace("local'", "4096'").replace("= local", "= 4096"))  # a free setting may be set so
    code, out = container.exec_run(["psql", "-XAtqU", "postgres", "-c", f"SET ROLE clerk; {statement}"])
    assert code != 0 and b'permission denied to set parameter "synchronous_commit"' in out, out.decode()
    psql(container, statement)


def test_a_busy_session_that_must_wait_for_a_processor_sleeps_and_one_that_may_be_busy_does_not(node, monkeypatch):
    monkeypatch.setitem(FILES, "etc/asp/postgresql.conf", CONF.replace("asp_durable", "asp_durable,asp_yield"))
    container = node()
    wait_ready(container)
    # Busier than there are processors; all of it ends by itself, or with the container.
    others = "for i in $(seq $(($(nproc) + 1))); do timeout 60 sh -c 'while :; do :; done' & done; wait"
    container.exec_run(["sh", "-c", others], detach=True)
    work = "SELECT count(*) FROM generate_series(1, 30000) a, generate_series(1, 30000) b"
    for busy in (100, 0):
        argv = ["psql", "-XqU", "postgres", "-c", f"SET asp_yield.busy = {busy}", "-c", work]
        container.exec_run(argv, detach=True, environment={"PGAPPNAME": f"busy{busy}"})

    def measure(busy):
        """How far the session stands back, and how often it let the processor go by itself."""
        ask = f"SELECT pid FROM pg_stat_activity WHERE application_name = 'busy{busy}' AND query LIKE '%30000%'"
        if not (pid := psql(container, ask)):
            return 0, 0
        status = container.exec_run(["cat", f"/proc/{pid}/stat", f"/proc/{pid}/status"])[1].decode()
        nice = int(status.rsplit(") ", 1)[1].split()[16])
        return nice, int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    sleeps = poll(lambda: measure(100), lambda state: state[0] == 10, 40, "the busy session stands back")[1]
    poll(lambda: measure(100)[1] - sleeps, lambda more: more >= 3, 40, "it sleeps, again and again")
    before = measure(0)
    time.sleep(3)  # in which the other one would have slept
    assert measure(0) == (0, before[1])


TOLD = {
    name: value
    for name, value in settings(Server(memory=384, max_connections=50)).items()
    if name.startswith(("log_", "shared_preload", "pg_stat_statements"))
}
SLOW = "SELECT 'Kovács-9031', pg_sleep(2.2)"
SLOW_VERIFIER = "DO $do$ BEGIN PERFORM pg_sleep(2.2); EXECUTE $x$ALTER ROLE clerk PASSWORD 'SCRAM-9031'$x$; END $do$"


def test_the_log_holds_no_statement_and_the_slow_ones_are_found_without_what_was_in_them(node, monkeypatch):
    settings = "".join(f"{name} = {literal(str(value))}\n" for name, value in TOLD.items())
    monkeypatch.setitem(FILES, "etc/asp/postgresql.conf", CONF + settings)
    monkeypatch.setitem(FILES, "run/secrets/bootstrap.sql", bootstrap_cell("a-password-0123456789"))
    container = node()
    wait_ready(container)
    psql(container, "CREATE ROLE clerk LOGIN")
    for sql in (f"SET ROLE clerk; {SLOW}", SLOW, SLOW_VERIFIER):
        psql(container, sql)
    with pytest.raises(AssertionError, match="9031"):
        psql(container, "CREATE TABLE person (tax bigint PRIMARY KEY); INSERT INTO person VALUES (9031), (9031)")
    logged = container.logs()
    assert b"9031" not in logged and b"SCRAM" not in logged and b"person_pkey" in logged
    slow = psql(container, "SELECT query FROM pg_stat_statements WHERE mean_exec_time > 2000")
    assert slow.splitlines() == ["SELECT $1, pg_sleep($2)"] * 2, "of each role"
    psql(container, f"SET log_min_duration_statement = '2s'; {SLOW}")
    assert b"9031" in container.logs(), "what this test looks for would be seen"


STANDBY = """\
set -e
rm -f /run/asp/ready
touch /data/pgdata/standby.signal
echo "cluster_name = 'baz1'" >> /data/pgdata/postgresql.auto.conf
exec postgres -D /data/pgdata --config-file=/etc/asp/postgresql.conf
"""
AWAITED = """\
import json, time
from asp_node.recovery import missing_wal
seen = []
for _ in range(6):
    answer = missing_wal(True), missing_wal(False)
    seen += [answer] if answer not in seen else []
    time.sleep(0.5)
print(json.dumps(seen))
"""


def test_a_standby_that_was_told_of_no_leader_is_known_from_one_that_replays(node):
    """What a leader's death in the middle of a rewind leaves behind; a cell's node clones itself anew then."""
    first = node()
    wait_ready(first)
    assert answers_of(first) == [(None, None)], "no standby at all"
    first.stop()
    standby = node(["sh", "-c", STANDBY])
    poll(lambda: str(standby.top()), lambda titles: "startup recovering" in titles, 30, "it replays what it has")
    ((starting, running),) = answers_of(standby)
    assert starting.endswith("(0 s of replay)") and running is None


def answers_of(container):
    """What the node's keeper sees, looked at for some seconds: each different answer once."""
    code, message = container.exec_run(["python3", "-c", AWAITED])
    assert code == 0, message.decode()
    return [tuple(answer) for answer in json.loads(message)]


PEER = """
import importlib.machinery, importlib.util, itertools, socket
loader = importlib.machinery.SourceFileLoader('asp_patroni', '/usr/local/bin/asp-patroni')
loader.exec_module(importlib.util.module_from_spec(importlib.util.spec_from_loader('asp_patroni', loader)))
from patroni.dcs.etcd import DnsCachingResolver
resolver, addresses = DnsCachingResolver(), itertools.count(1)
found = lambda *_: [(2, 1, 6, '', (f'10.0.0.{next(addresses)}', 8008))]
def gone(*_): raise socket.gaierror('Name or service not known')
socket.getaddrinfo = found
print([resolver.resolve('peer', 8008)[0][4][0] for _ in range(2)])
socket.getaddrinfo = gone
print(resolver.resolve('peer', 8008))
"""


def test_patroni_asks_for_a_peers_address_each_time(node):
    code, message = node(["sleep", "infinity"]).exec_run(["python3", "-c", PEER])
    assert code == 0, message.decode()
    lines = [line for line in message.decode().splitlines() if line.startswith("[")]
    assert lines == ["['10.0.0.1', '10.0.0.2']", "[]"]
