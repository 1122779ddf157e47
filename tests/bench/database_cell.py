"""A cell of three under test: a tenant of its own, writers, faults, and the checker of what was acknowledged."""

from __future__ import annotations

import io
import json
import random
import secrets as secret_values
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import APIError, NotFound
from docker.types import EndpointSpec, RestartPolicy, ServiceMode

from centre.database.failover import follows
from centre.reach.leader import leader, members
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault
from inventory import paths
from inventory.names import Port
from inventory.register import Register
from inventory.vault import vault
from stacks.configs.scram import verifier
from stacks.images.build import recipe

TENANT, LOGIN = "t99999", "t99999_keret"  # a code that no settlement has
SETUP = """\
DROP DATABASE IF EXISTS {t} WITH (FORCE);
DROP ROLE IF EXISTS {l}; DROP ROLE IF EXISTS {t};
CREATE ROLE {t} NOLOGIN;
CREATE ROLE {l} LOGIN PASSWORD '{v}' IN ROLE {t};
CREATE DATABASE {t} OWNER asp_owner STRATEGY WAL_LOG;
REVOKE ALL ON DATABASE {t} FROM PUBLIC;
GRANT CONNECT ON DATABASE {t} TO {t};
\\connect {t}
CREATE SCHEMA bench;
CREATE TABLE bench.written (writer text, number int, PRIMARY KEY (writer, number));
GRANT USAGE ON SCHEMA bench TO {l};
GRANT INSERT, SELECT ON bench.written TO {l};
"""
CLEANUP = "DROP DATABASE IF EXISTS {t} WITH (FORCE); DROP ROLE IF EXISTS {l}; DROP ROLE IF EXISTS {t};"
HEALTHY_SECONDS = 180


@dataclass
class History:
    """Every row that a writer told of, in the order of telling, kept as a file as well."""

    file: Path
    rows: list[dict] = field(default_factory=list)

    def add(self, line: bytes) -> None:
        entry = json.loads(line)
        self.rows.append(entry)
        with self.file.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")

    def note(self, **entry) -> None:
        """A line about something else than a row: a fault before it is done, what was found, the verdict."""
        with self.file.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")

    def acknowledged(self, since: int = 0) -> list[dict]:
        return [row for row in self.rows[since:] if row.get("ok")]


class BenchCell:
    """One running cell of three nodes of an environment. Use `with BenchCell.ready(register, cell, name) as cell`."""

    def __init__(self, register: Register, cell_id: str, name: str):
        self.register, self.id = register, cell_id
        self.runtime = Runtime(register)
        self.client = self.runtime.client
        self.names = register.cell(cell_id)
        if self.names.nodes != 3:
            raise SystemExit(f"cell {cell_id} of {register.environment.id}: seen nodes: 1, wanted 3 (environment.yaml)")
        self.sql = CellSql(self.runtime, cell_id)
        self.service = f"{self.names.prefix}-bench"
        self.password = secret_values.token_urlsafe(32)
        folder = paths.environment_dir(register.environment.id) / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        self.history = History(folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl")
        self._writer: threading.Thread | None = None

    @classmethod
    @contextmanager
    def ready(cls, register: Register, cell_id: str, name: str, **options) -> Iterator[BenchCell]:
        """The cell with its bench tenant and running writers; both are removed at the end."""
        cell = cls(register, cell_id, name)
        cell.heal()
        sql = SETUP.format(t=TENANT, l=LOGIN, v=verifier(cell.password, LOGIN))
        cell.sql.script(sql, database="postgres", role="postgres")
        service = cell._client_service()
        try:
            cell._start_writers(**options)
            yield cell
        finally:
            service.remove()
            cell.until(cell._cleaned, HEALTHY_SECONDS, "the bench's tenant is removed")

    def _cleaned(self) -> bool:
        """Remove the tenant; whether that could be done, which a cell under a fault refuses for a while."""
        try:
            self.heal()
            sql = CLEANUP.format(t=TENANT, l=LOGIN).replace("; ", ";\n")
            self.sql.script(sql, database="postgres", role="postgres")
        except RuntimeFault:
            return False
        return True

    def _client_service(self):
        networks = [self.names.apps_network.name, self.names.data_network.name]
        for old in self.client.services.list(filters={"name": self.service}):
            old.remove()
        # The name alone would find the last run's container, which runs for a moment yet, and the writers end with it.
        self.until(lambda: not self._containers(self.service), 60, "no writers of an earlier run are left")
        return self.client.services.create(
            recipe.reference("postgres"),
            command=["sleep", "infinity"],
            name=self.service,
            labels={"asp.env": self.register.environment.id, "asp.stack": "bench"},
            networks=networks,
            init=True,
            endpoint_spec=EndpointSpec(mode="dnsrr"),
            mode=ServiceMode("replicated", replicas=1),
            restart_policy=RestartPolicy(condition="any", delay=int(1e9)),
        )

    def _start_writers(self, writers: int = 4, pause: float = 0.02) -> None:
        container = self.runtime.container(self.service, wait=60)
        secrets = vault.load(self.register)
        pair = secrets.tls(self.names.app(self.register.installed_systems[0]))  # what an app server shows
        files = {
            "bench/tls.crt": pair.chain,
            "bench/tls.key": pair.key,
            "bench/ca.crt": secrets.root_ca.certificate,
            "bench/client.py": Path(__file__).with_name("database_client.py").read_text(),
        }
        container.put_archive("/", _archive(files))
        settings = {
            "pooler": f"{self.names.proxy}:{Port.POOLER.value}",
            "nodes": [f"{node}:{Port.POSTGRES.value}" for node in self.names.postgres],
            "database": TENANT,
            "user": LOGIN,
            "password": self.password,
            "writers": writers,
            "pause": pause,
        }
        api = self.client.api
        handle = api.exec_create(container.id, ["python3", "-u", "/bench/client.py"], stdin=True)["Id"]
        stream = api.exec_start(handle, socket=True)
        raw: socket.socket = getattr(stream, "_sock", stream)
        raw.settimeout(None)
        raw.sendall((json.dumps(settings) + "\n").encode())
        self._writer = threading.Thread(target=self._listen, args=(stream, raw), daemon=True)
        self._writer.start()
        self.until(lambda: len(self.history.acknowledged()) > 50, 60, "writers get their first rows acknowledged")

    def _listen(self, stream, raw: socket.socket) -> None:
        buffer, pending = b"", b""
        with stream:
            while data := raw.recv(65536):
                buffer += data
                while len(buffer) >= 8 and len(buffer) >= 8 + (size := int.from_bytes(buffer[4:8], "big")):
                    kind, payload, buffer = buffer[0], buffer[8 : 8 + size], buffer[8 + size :]
                    if kind != 1:
                        print(payload.decode(errors="replace"), end="")
                        continue
                    *lines, pending = (pending + payload).split(b"\n")
                    for line in lines:
                        self.history.add(line)

    # ---- what is seen

    def until(self, condition: Callable[[], bool], seconds: float, label: str) -> None:
        """Wait for something; RuntimeError saying what after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{label}: not within {seconds:.0f} s; last: {self.state()}")
            time.sleep(0.2)

    def state(self) -> object:
        try:
            return [(m["name"][-1], m["role"], m["state"], m.get("lag")) for m in members(self.runtime, self.names)]
        except RuntimeFault as fault:
            return str(fault)

    def whole(self) -> bool:
        """A leader, two streaming standbys that acknowledge, no service without its task."""
        try:
            nodes = members(self.runtime, self.names)
            roles = sorted(m["role"] for m in nodes)
            leading = next((m for m in nodes if m["role"] == "leader"), {})
            for service in [*self.names.etcd, *self.names.postgres]:
                self.runtime.container(service)
        except RuntimeFault:
            return False
        states = all(m is leading or follows(m, leading) for m in nodes)
        return roles == ["leader", "quorum_standby", "quorum_standby"] and states

    def heal(self, seconds: float = HEALTHY_SECONDS) -> None:
        """Undo what may be left of a fault, then wait until the cell is whole."""
        for service in [*self.names.postgres, *self.names.etcd]:
            for container in self._containers(service):
                if container.status == "paused":
                    container.unpause()
        self.until(self.whole, seconds, "the cell is whole")

    def _containers(self, service: str) -> list:
        return self.client.containers.list(filters={"label": f"com.docker.swarm.service.name={service}"})

    def container(self, service: str):
        return self.runtime.container(service)

    def leader(self) -> str:
        return leader(self.runtime, self.names)

    def standby(self) -> str:
        return random.choice([m["name"] for m in members(self.runtime, self.names) if m["role"] == "quorum_standby"])

    # ---- settings to compare

    def patience(self, ttl: int, loop_wait: int, retry_timeout: int) -> None:
        """Set the cluster's pace until the next change of leader, at which the register's comes back."""
        body = {"ttl": ttl, "loop_wait": loop_wait, "retry_timeout": retry_timeout}
        code = f"from asp_node import patroni_api; print(patroni_api.call('PATCH', '/config', {body!r})[0])"
        answer = self.runtime.check(self.leader(), ["python3", "-c", code]).strip()
        if answer != "200":
            raise RuntimeError(f"settings refused: {answer}")
        time.sleep(loop_wait + 11)  # every node's next loop reads it, at the old pace

    def fencer(self, on: bool) -> None:
        for name in self.names.fencer:
            service = self.client.services.get(name)
            service.update(mode=ServiceMode("replicated", replicas=int(on)), fetch_current_spec=True)
            self.until(lambda n=name: bool(self._containers(n)) == on, 60, f"fencer {'on' if on else 'off'}")
        if on:
            for name in self.names.fencer:
                self.runtime.container(name, wait=60)
            time.sleep(2)  # it must have seen the leader alive

    # ---- the checker

    def lost_rows(self, since: int = 0) -> list[dict]:
        """Acknowledged rows that the leader does not have now."""
        acknowledged = self.history.acknowledged(since)  # before the look: the writers go on meanwhile
        rows = self.sql.script("SELECT writer || ' ' || number FROM bench.written", database=TENANT, role="postgres")
        present = set(rows.splitlines())
        return [row for row in acknowledged if f"{row['w']} {row['n']}" not in present]

    def overlaps(self, since: int = 0) -> list[tuple[dict, dict]]:
        """Pairs of rows that show two writable leaders.

        Either one timeline acknowledged on two nodes, or a write that began on an older timeline after a newer one had
        acknowledged something, and was itself acknowledged.
        """
        return overlaps(self.history.acknowledged(since))

    def gap(self, at: float) -> float:
        """Seconds without an acknowledged row through the pooler, the longest since shortly before a fault at `at`."""
        ends = sorted(r["t1"] for r in self.history.acknowledged() if r["w"].startswith("p") and r["t1"] > at - 1)
        return max((b - a for a, b in zip(ends, ends[1:], strict=False)), default=float("inf"))

    def writes_again(self, at: float, seconds: float = 90) -> None:
        """Wait until rows that were begun after a fault are acknowledged for a while."""

        def fresh() -> bool:
            rows = [r for r in self.history.rows[-400:] if r.get("ok") and r["w"].startswith("p") and r["t0"] > at]
            return len(rows) > 60 and rows[-1]["t1"] - rows[0]["t1"] < 10

        self.until(fresh, seconds, "writes are acknowledged again")


def overlaps(rows: list[dict]) -> list[tuple[dict, dict]]:
    """See BenchCell.overlaps; `rows`: acknowledged ones."""
    pairs = []
    nodes: dict[str, dict] = {}
    first: dict[str, dict] = {}
    for row in rows:
        other = nodes.setdefault(row["tl"], row)
        if other["node"] != row["node"]:
            pairs.append((other, row))
        if row["tl"] not in first or row["t1"] < first[row["tl"]]["t1"]:
            first[row["tl"]] = row
    timelines = sorted(first)  # eight hexadecimal digits sort as numbers
    for row in rows:
        newer = [first[timeline] for timeline in timelines if timeline > row["tl"]]
        pairs += [(row, other) for other in newer if row["t0"] > other["t1"]]
    return pairs


# ---- faults: each does its harm, and returns how to undo what does not mend itself

Undo = Callable[[], None]


def nothing() -> None:
    """Mends itself."""


def lose_leader(cell: BenchCell) -> Undo:
    """The leader's container dies and nothing starts it again until it is undone: what the death of its machine is."""
    name = cell.leader()
    service, container = cell.client.services.get(name), cell.container(name)
    service.update(mode=ServiceMode("replicated", replicas=0), fetch_current_spec=True)
    _quietly(container.kill)

    def undo() -> None:
        cell.client.services.get(name).update(mode=ServiceMode("replicated", replicas=1), fetch_current_spec=True)

    return undo


def kill_leader(cell: BenchCell) -> Undo:
    """The leader's container dies at once."""
    cell.container(cell.leader()).kill()
    return nothing


def crash_postgres(cell: BenchCell) -> Undo:
    """PostgreSQL's first process is killed; Patroni lives."""
    _sh(cell, cell.leader(), "kill -9 $(head -1 /data/pgdata/postmaster.pid)")
    return nothing


def freeze_leader(cell: BenchCell) -> Undo:
    """Every process of the leader stops in the middle of what it does and goes on later."""
    container = cell.container(cell.leader())
    container.pause()
    return lambda: _quietly(container.unpause)


def stop_leader(cell: BenchCell) -> Undo:
    """SIGSTOP to all of the leader's processes; SIGCONT later to those that are left."""
    container = cell.container(cell.leader())
    _sh(cell, cell.leader(), "kill -STOP -1", quietly=True)
    return lambda: _quietly(lambda: container.exec_run(["bash", "-c", "kill -CONT -1"]))


def cut_leader(cell: BenchCell) -> Undo:
    """The leader loses its network and nothing else. A task's container cannot be given it back: it is replaced."""
    container = cell.container(cell.leader())
    cell.client.networks.get(cell.names.data_network.name).disconnect(container, force=True)
    return lambda: _quietly(container.kill)


def full_wal(cell: BenchCell) -> Undo:
    """No file of the leader can grow any more: its next write of WAL fails as on a full disk, as does its next start.

    Patroni is limited as well, because what it starts inherits that; only the soft limit, which may be lifted again.
    """
    container = cell.container(cell.leader())
    limit = "for p in $(pgrep -x 'asp-patroni|postgres'); do prlimit --pid $p --fsize={}: || true; done 2>/dev/null"
    _sh(cell, cell.leader(), limit.format(8192))
    return lambda: _quietly(lambda: container.exec_run(["bash", "-c", limit.format("unlimited")]))


def kill_standby(cell: BenchCell) -> Undo:
    """A standby dies."""
    cell.container(cell.standby()).kill()
    return nothing


def freeze_standby(cell: BenchCell) -> Undo:
    """A standby stops answering."""
    container = cell.container(cell.standby())
    container.pause()
    return lambda: _quietly(container.unpause)


def kill_etcd(cell: BenchCell) -> Undo:
    """One etcd member dies."""
    cell.container(random.choice(cell.names.etcd)).kill()
    return nothing


def freeze_etcd(cell: BenchCell) -> Undo:
    """One etcd member stops answering."""
    container = cell.container(random.choice(cell.names.etcd))
    container.pause()
    return lambda: _quietly(container.unpause)


def lose_quorum(cell: BenchCell) -> Undo:
    """Two of three etcd members stop answering."""
    containers = [cell.container(name) for name in random.sample(cell.names.etcd, 2)]
    for container in containers:
        container.pause()
    return lambda: [_quietly(container.unpause) for container in containers] and None


def leader_and_etcd(cell: BenchCell) -> Undo:
    """The leader and one etcd member die in the same moment."""
    kill_etcd(cell)
    return kill_leader(cell)


def leader_and_standby(cell: BenchCell) -> Undo:
    """The leader and a standby die in the same moment: the other one alone must not take over."""
    cell.container(cell.standby()).kill()
    return kill_leader(cell)


FAULTS = [
    kill_leader, crash_postgres, freeze_leader, stop_leader, cut_leader, full_wal, kill_standby, freeze_standby,
    kill_etcd, freeze_etcd, lose_quorum, leader_and_etcd, leader_and_standby,
]  # fmt: skip


def _sh(cell: BenchCell, service: str, script: str, quietly: bool = False) -> None:
    result = cell.container(service).exec_run(["bash", "-c", script], detach=quietly)
    if not quietly and result.exit_code != 0:
        raise RuntimeError(f"{service}: {script}: {result.output.decode()[-300:]}")


def _quietly(undo: Callable[[], object]) -> None:
    """A fenced container is gone already: then nothing is left to undo."""
    try:
        undo()
    except (NotFound, APIError):
        return


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            data = text.encode()
            entry.size, entry.uid, entry.gid = len(data), 5432, 5432
            entry.mode = 0o600 if path.endswith(".key") else 0o644
            bundle.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
