"""The fencer releases a leader's key only on proof, and says why when it does not; the checker sees what it must.

Engine and etcd are the program's own classes with only their wire replaced, so that each refusal can be brought about.
The real ones meet in tests/bench/database_faults.py.
"""

import json
import sys
import threading

import pytest

from inventory import paths

sys.path.insert(0, str(paths.ROOT / "stacks" / "images" / "etcd"))
from asp_failover import fence, watch  # noqa: E402
from asp_failover import member as member_module  # noqa: E402
from asp_failover.etcd import Etcd, EtcdFault, decode, encode  # noqa: E402
from asp_failover.member import arguments, cluster_state  # noqa: E402

from tests.bench.database_cell import overlaps  # noqa: E402

NODES = ["asp-x-baz1-postgres-1", "asp-x-baz1-postgres-2"]
OLD, NEW = NODES
THIRD = "asp-x-baz1-postgres-3"
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
            start = decode(body["key"])
            found = [(key, pair) for key, pair in self.keys.items() if key.startswith(start)]
            rows = [
                {"key": encode(k), "value": encode(v), "create_revision": str(r), "mod_revision": str(r)}
                for k, (v, r) in found
            ]
            return {"kvs": rows} if rows else {}
        assert path == "/v3/kv/txn"
        value, revision = body["compare"]
        key = decode(value["key"])
        same = self.keys.get(key) == (decode(value["value"]), int(revision["create_revision"]))
        if same:
            del self.keys[key]
        return {"succeeded": True} if same else {}


class Machine:
    """The engine with one container a node; `stubborn`: kills do nothing; `sticky`: cuts do nothing."""

    def __init__(self):
        self.replicas = {name: 1 for name in NODES}
        self.state = {f"c-{name}": "running" for name in NODES}
        self.attached = set(self.state)
        self.where = "here"
        self.stubborn = self.sticky = False
        self.reason = None
        self.calls = []

    def node(self):
        return "here"

    def tasks(self, service):
        return [{"ID": f"t-{service}", "NodeID": self.where}]

    def service(self, name):
        return {"Spec": {"Mode": {"Replicated": {"Replicas": self.replicas[name]}}}}

    def scale(self, name, replicas):
        self.calls.append(("scale", name, replicas))
        self.replicas[name] = replicas

    def containers(self, service):
        name = f"c-{service}"
        entry = {"Id": name, "State": self.state[name], "Labels": {watch.TASK_LABEL: f"t-{service}"}}
        return [{**entry, "NetworkSettings": {"Networks": {"data": {"NetworkID": "n"}}}}]

    def halted(self, container):
        return self.reason

    def kill(self, container):
        self.calls.append(("kill", container))
        if not self.stubborn:
            self.state[container] = "exited"

    def cut(self, container, network):
        self.calls.append(("cut", container))
        if not self.sticky:
            self.attached.discard(container)

    def endpoints(self, network):
        return set(self.attached)

    def inspect(self, container):
        running = self.state[container] != "exited"
        return {
            "State": {
                "Status": self.state[container],
                "Running": running,
                "Paused": self.state[container] == "paused",
                "Restarting": False,
                "Pid": 77 if running else 0,
                "ExitCode": 137,
                "FinishedAt": "",
            }
        }


@pytest.fixture
def cell(tmp_path, monkeypatch):
    monkeypatch.setattr(fence, "PROOF_SECONDS", 0.1)
    monkeypatch.setattr(fence, "STANDBY_SECONDS", 0.0)
    machine, wire, audit = Machine(), Wire(), fence.Audit(tmp_path)
    audit.alive(OLD, [f"c-{OLD}"])
    settings = {"nodes": NODES, "scope": SCOPE, "node_port": 8008}
    watcher = watch.Watcher(settings, machine, wire, audit, ask=lambda name: {"state": "running"})
    return watcher, machine, wire, audit


def lines(audit):
    return [json.loads(line) for line in (audit.folder / "audit.jsonl").read_text().splitlines()]


def test_a_dead_leader_is_proven_dead_before_its_key_goes(cell):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    assert f"{SCOPE}leader" not in wire.keys
    assert [entry["event"] for entry in lines(audit)] == ["fencing", "proof", "released", "given back"]
    assert machine.calls[0] == ("scale", OLD, 0), "nothing may start it again while it is being fenced"
    assert machine.calls[-1] == ("scale", OLD, 1)
    assert not machine.attached & {f"c-{OLD}"}
    assert audit.pending == {}


def test_with_two_standbys_of_which_one_acknowledged_both_must_answer(cell):
    watcher, machine, wire, _ = cell
    wire.keys[f"{SCOPE}sync"] = (json.dumps({"leader": OLD, "sync_standby": f"{NEW},{THIRD}", "quorum": 1}), 7)
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    assert f"{SCOPE}leader" not in wire.keys


def test_a_frozen_leader_is_killed_first(cell):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "paused"
    watcher.tick()
    assert ("kill", f"c-{OLD}") in machine.calls
    assert f"{SCOPE}leader" not in wire.keys


def test_a_leader_that_answers_is_left_alone(cell):
    watcher, machine, wire, _ = cell
    watcher.tick()
    assert machine.calls == [] and f"{SCOPE}leader" in wire.keys


@pytest.mark.parametrize(
    ("silent", "reason", "stopping", "suspected"),
    [
        (2, None, False, False),  # a busy machine
        (2, "it has no network", False, True),
        (6, None, False, True),
        (6, None, True, False),  # told to stop: Patroni falls silent before it hands over
        (30, None, True, True),
    ],
)
def test_silence_needs_longer_without_a_reason_shown(cell, silent, reason, stopping, suspected):
    watcher, machine, _, _ = cell
    machine.reason = reason
    watcher._ask = lambda name: None
    watcher._answered[OLD] = watch.time.monotonic() - silent
    if stopping:
        machine.tasks = lambda service: []
    assert bool(watcher.suspicion(OLD)) == suspected


def test_a_standby_that_has_just_come_back_is_asked_again(cell, monkeypatch):
    monkeypatch.setattr(fence, "STANDBY_SECONDS", 5.0)
    watcher, machine, wire, audit = cell
    answers = iter([None, {"state": "starting"}, {"state": "running"}])
    watcher._ask = lambda name: next(answers)
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    assert [entry["event"] for entry in lines(audit)] == ["fencing", "proof", "released", "given back"]


def no_standby(watcher, machine, wire, audit):
    wire.keys[f"{SCOPE}sync"] = (json.dumps({"leader": OLD, "sync_standby": None}), 7)


def silent_standby(watcher, machine, wire, audit):
    watcher._ask = lambda name: None


def no_vote(watcher, machine, wire, audit):
    """Either standby may be the one that has a row: alone, neither knows."""
    wire.keys[f"{SCOPE}sync"] = (json.dumps({"leader": OLD, "sync_standby": f"{NEW},{THIRD}", "quorum": 1}), 7)
    watcher._ask = lambda name: {"state": "running"} if name == NEW else None


def another_machine(watcher, machine, wire, audit):
    machine.where = "there"


def never_seen(watcher, machine, wire, audit):
    audit.seen.clear()


def will_not_die(watcher, machine, wire, audit):
    machine.stubborn = True
    machine.state[f"c-{OLD}"] = "paused"


def stays_connected(watcher, machine, wire, audit):
    machine.sticky = True


def another_reign(watcher, machine, wire, audit):
    """The same node leads again: a key of the same value, and not the one that was seen."""
    wire.keys[f"{SCOPE}leader"] = (OLD, 42)


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        (no_standby, "no standby is known to have every acknowledged row"),
        (silent_standby, f"standbys that answer: none; wanted 1 of {NEW}."),
        (no_vote, f"standbys that answer: {NEW}; wanted 2 of {NEW}, {THIRD}."),
        (another_machine, "silence is no proof"),
        (never_seen, "was never seen alive on this machine"),
        (will_not_die, "not shown to be stopped and cut off"),
        (stays_connected, "not shown to be stopped and cut off"),
        (another_reign, "of revision 41 any more"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_without_proof_nothing_is_released(cell, missing, why):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    missing(*cell)
    before = wire.keys[f"{SCOPE}leader"]
    watcher.act(LEADER, "its end")
    assert wire.keys[f"{SCOPE}leader"] == before
    (refused,) = [entry for entry in lines(audit) if entry["event"] == "refused"]
    assert why in refused["why"]
    assert machine.replicas[OLD] == 1, "a refusal leaves the node free to run"
    assert watcher.counts == {"released": 0, "refused": 1, "faults": 0}


def test_killed_in_the_middle_it_gives_the_replicas_back_at_the_next_start(cell, tmp_path):
    watcher, machine, wire, audit = cell
    machine.replicas[OLD] = 0
    audit.pending[OLD] = 1
    audit.save()
    wire.keys[f"{SCOPE}leader"] = (NEW, 50)
    settings = {"nodes": NODES, "scope": SCOPE, "node_port": 8008}
    again = watch.Watcher(settings, machine, wire, fence.Audit(tmp_path), ask=lambda name: {"state": "running"})
    again.tick()
    assert machine.replicas[OLD] == 1


MEMBERS = ["m-1", "m-2", "m-3"]


class Peers:
    """Members as etcd 3.5 has them. `known`: what is listed of m-1; `fails`: calls that nobody answers."""

    def __init__(self, known=None, fails=()):
        self.known, self.fails, self.calls = known, fails, []

    def __call__(self, hosts, root, user, password, timeout):
        assert (hosts, user, password) == (["m-2:2379", "m-3:2379"], "root", "geheim")
        return self

    def call(self, path, body):
        verb = path.rsplit("/", 1)[1]
        if verb in self.fails:
            raise EtcdFault("etcd: no member answers")
        self.calls.append(verb)
        url = "https://m-1:2380"
        if verb == "remove":
            assert body == {"ID": "77"}
            self.known = None
        elif verb == "add":
            assert body == {"peerURLs": [url]} and self.known is None
            self.known = {}
        others = [{"ID": "5", "name": "m-2", "peerURLs": ["https://m-2:2380"], "clientURLs": ["https://m-2:2379"]}]
        return {"members": others + ([{"ID": "77", "peerURLs": [url], **self.known}] if self.known is not None else [])}


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """An empty one."""
    monkeypatch.setattr(member_module, "WAL", tmp_path / "etcd" / "member" / "wal")
    monkeypatch.setattr(member_module, "JOINING", tmp_path / "joining")
    return tmp_path


RAN = {"name": "m-1", "clientURLs": ["https://m-1:2379"]}
NEVER_RAN = {"name": "m-1"}
ADDED = {}


@pytest.mark.parametrize(
    ("peers", "state", "calls"),
    [
        (Peers(fails=["list"]), "new", []),  # the first start of the first members: no majority, or no logins yet
        (Peers(NEVER_RAN), "new", ["list"]),  # the first start of the last one
        (Peers(RAN), "existing", ["list", "remove", "add"]),  # its volume was lost
        (Peers(None), "existing", ["list", "add"]),  # killed after it took itself out
        (Peers(ADDED), "existing", ["list"]),  # killed before it ran
    ],
)
def test_a_member_with_an_empty_volume_joins_what_is_there(volume, monkeypatch, peers, state, calls):
    monkeypatch.setattr(member_module, "Etcd", peers)
    assert cluster_state("m-1", MEMBERS, "geheim") == state
    assert peers.calls == calls


def test_a_member_that_took_itself_out_never_founds_a_cluster(volume, monkeypatch):
    for peers in (Peers(RAN, fails=["add"]), Peers(fails=["list"])):
        monkeypatch.setattr(member_module, "Etcd", peers)
        with pytest.raises(EtcdFault, match="no member answers"):
            cluster_state("m-1", MEMBERS, "geheim")
    monkeypatch.setattr(member_module, "Etcd", peers := Peers(None))
    assert cluster_state("m-1", MEMBERS, "geheim") == "existing" and peers.calls == ["list", "add"]


def test_a_member_with_its_volume_asks_nobody(volume, monkeypatch):
    monkeypatch.setattr(member_module, "Etcd", peers := Peers(RAN))
    member_module.WAL.mkdir(parents=True)
    (member_module.WAL / "0.wal").touch()
    member_module.JOINING.touch()
    assert cluster_state("m-1", MEMBERS, "geheim") == "existing" and peers.calls == []
    assert not member_module.JOINING.exists()


@pytest.mark.parametrize(("present", "changes"), [("geheim", 0), ("another", 1)])
def test_logins_that_work_are_left_alone_at_a_restart(tmp_path, monkeypatch, present, changes):
    """As etcd 3.5 answers once logins are required."""
    changed = []

    class Required:
        def __init__(self, hosts, root, user=None, password="", timeout=0):
            self.user, self.password = user, password

        def call(self, path, body):
            if self.user is None:
                raise EtcdFault(f"etcd: {path} refused with 400: etcdserver: user name is empty")
            if self.user == "patroni" and self.password != present:
                raise EtcdFault("etcd: login of patroni refused: etcdserver: authentication failed")
            if self.user != "root":
                raise EtcdFault(f"etcd: {path} refused with 403: etcdserver: permission denied")
            changed.append((path, body))
            return {}

    logins = tmp_path / "etcd.json"
    logins.write_text(json.dumps({"root": "r", "users": {"patroni": {"password": "geheim", "write": [SCOPE]}}}))
    monkeypatch.setattr(member_module, "LOGINS", str(logins))
    monkeypatch.setattr(member_module, "Etcd", Required)
    member_module.keep_logins("m-1", threading.Event())
    passwords = [body for path, body in changed if path == "/v3/auth/user/changepw" and body["name"] == "patroni"]
    assert passwords == [{"name": "patroni", "password": "geheim"}] * changes
    assert bool(changed) == bool(changes)


def test_members_of_etcd_know_each_other_by_certificate():
    line = arguments("m-1", MEMBERS, "m", "new")
    assert "--peer-client-cert-auth=true" in line and "--peer-cert-allowed-hostname=m" in line
    assert not [part for part in line if "http://" in part and "127.0.0.1" not in part]


def row(tl, node, t0, t1):
    return {"tl": tl, "node": node, "t0": t0, "t1": t1}


GOOD = [row("00000001", "a", 1, 2), row("00000001", "a", 2, 3), row("00000002", "b", 2.5, 4)]


@pytest.mark.parametrize(
    ("added", "count"),
    [
        ([], 0),
        ([row("00000001", "a", 4.5, 5)], 1),  # the old leader acknowledged after the new one had
        ([row("00000002", "a", 5, 6)], 1),  # one timeline on two nodes
    ],
)
def test_the_checker_sees_two_writable_leaders(added, count):
    assert len(overlaps(GOOD + added)) == count
