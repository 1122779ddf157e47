"""What a node of three does by itself: restarts in order, what follows a leader, and when a standby is cloned anew."""

import json
import subprocess
import threading

import pytest
from asp_node import keeper as keeper_module
from asp_node import patroni_api, places, recovery
from asp_node.keeper import STUCK_SECONDS, Keeper

from tests.unit.stacks.images.asp_node.patroni import Patroni

ROLES = {"n1": "leader", "n2": "quorum_standby", "n3": "quorum_standby"}


@pytest.fixture
def cell(monkeypatch, tmp_path):
    """Three nodes with a Patroni each that behaves as 4.0.7 does; `turn` lets every one of them look once."""
    (tmp_path / "dcs.json").write_text("{}")
    monkeypatch.setattr(places, "SHARED", tmp_path / "dcs.json")
    return Cell(monkeypatch, tmp_path)


class Cell(Patroni):
    """Patroni with the WAL's word and who restarted in which order. `fenced`, `refusing`: who does not restart."""

    def __init__(self, monkeypatch, folder):
        super().__init__(ROLES)
        self.folder = folder
        self.restarts, self.fenced, self.refusing = [], set(), set()
        self.keepers = {}
        for name in ROLES:
            monkeypatch.setattr(keeper_module.socket, "gethostname", lambda name=name: name)
            self.keepers[name] = Keeper()
        self.patch = monkeypatch

    def call(self, name, method, path, body=None):
        if path == "/restart":
            assert body == {"restart_pending": True, "timeout": keeper_module.RESTART_SECONDS}
            self.restarts.append(name)
            if name in self.fenced:
                raise OSError("fenced")
            if name in self.refusing:
                return 503, "restart failed"
        return super().call(name, method, path, body)

    def turn(self, names=tuple(ROLES)):
        for name in names:
            self.patch.setattr(
                patroni_api, "call", lambda how, path, body=None, name=name, **_: self.call(name, how, path, body)
            )
            self.patch.setattr(recovery, "controldata", lambda: {"max_connections setting": str(self.wal)})
            self.patch.setattr(places, "RESTARTED", self.folder / name)
            if reason := self.reason(name):
                self.keepers[name].restart(reason)


@pytest.mark.parametrize(("setting", "order"), [(150, ["n2", "n3", "n1"]), (50, ["n1", "n2", "n3"])])
def test_more_is_taken_by_standbys_first_and_less_by_the_leader(cell, setting, order):
    cell.wanted = setting
    for _ in range(5):
        cell.turn()
    assert cell.restarts == order, "each once"
    assert set(cell.running.values()) == {setting}


def test_a_standby_that_does_not_acknowledge_yet_is_first(cell):
    cell.roles["n3"] = "replica"
    cell.wanted = 150
    for _ in range(5):
        cell.turn()
    assert cell.restarts == ["n3", "n2", "n1"], "n2 alone acknowledges until n3 does"


def test_the_leader_waits_for_a_standby_that_is_restarting(cell):
    """Its own setting is taken already, so that it says nothing of a restart any more."""
    cell.wanted = 150
    cell.running["n2"] = cell.running["n3"] = 150
    cell.states = {"n2": "starting"}
    cell.turn()
    assert cell.restarts == []
    cell.states = {}
    cell.turn()
    assert cell.restarts == ["n1"]


def test_a_standby_waits_for_a_leader_that_does_not_restart(cell):
    cell.wanted = 50
    for _ in range(5):
        cell.turn(["n3", "n2"])
    assert cell.restarts == []


def test_a_restart_that_changes_nothing_is_not_repeated(cell):
    cell.wanted = 150
    cell.wal = 200  # Patroni starts it with more than is wanted, for whatever reason of its own
    cell.patch.setattr(recovery, "lowered", lambda *_: False)
    for _ in range(5):
        cell.turn(["n2"])
    assert cell.restarts == ["n2", "n2"], "once for each reason that it gives"


def test_a_leader_that_is_fenced_at_its_restart_does_not_try_again(cell):
    cell.wanted, cell.fenced = 50, {"n1"}
    with pytest.raises(OSError, match="fenced"):
        cell.turn()
    for _ in range(5):
        cell.turn()
    assert cell.restarts == ["n1"], "or the leadership would go round forever"


def test_a_refused_restart_is_tried_again(cell):
    cell.wanted, cell.refusing = 150, {"n2"}
    cell.turn(["n2"])
    cell.turn(["n2"])
    assert cell.restarts == ["n2", "n2"]
    cell.refusing.clear()
    cell.turn(["n2"])
    assert cell.running["n2"] == 150


class Node:
    """One keeper whose Patroni answers `own` (its body) and `members`; `calls`: what else it was asked.

    `waits`: the segment that recovery waits for; `replays`: the one that a starting server works at; `behind`: why it
    can never reach what it must replay.
    """

    def __init__(self, patch, folder):
        self.own, self.primary, self.config = {"state": "running", "role": "primary"}, 200, {"ttl": 30}
        self.members, self.calls, self.sql, self.clock, self.waits = [], [], [], 0.0, None
        self.config_status, self.replays, self.behind = 200, None, None
        for name in ("READY", "ALIVE", "RESTARTED"):
            patch.setattr(places, name, folder / name.lower())
        patch.setattr(places, "SHARED", folder / "dcs.json")
        places.SHARED.write_text(json.dumps(self.config))
        patch.setattr(keeper_module.socket, "gethostname", lambda: "n1")
        patch.setattr(keeper_module.time, "monotonic", lambda: self.clock)
        patch.setattr(keeper_module.subprocess, "run", lambda argv, **how: self.sql.append((argv, how)))
        patch.setattr(recovery, "missing_wal", lambda starting: self.waits or (self.replays if starting else None))
        patch.setattr(recovery, "unreachable", lambda: self.behind)
        patch.setattr(patroni_api, "call", self.call)
        self.keeper = Keeper()

    def call(self, method, path, body=None, **_):
        if path == "/patroni":
            return 200, self.own
        if path == "/primary":
            return self.primary, {}
        if path == "/cluster":
            return 200, {"members": self.members}
        if (method, path) == ("GET", "/config"):
            return self.config_status, self.config
        self.calls.append((method, path, body))
        return 200, body if path == "/config" else "reinitialize started"

    def tick(self):
        self.keeper.tick()
        calls, self.calls = self.calls, []
        sql, self.sql = self.sql, []
        return calls, len(sql)

    def stuck(self, state="running"):
        """Look until the fault has lasted long enough; what Patroni was asked for."""
        for _ in range(STUCK_SECONDS + 2):
            self.keeper.unstick(state)
            self.clock += 1
        return [path for _, path, _ in self.calls]


@pytest.fixture
def node(monkeypatch, tmp_path):
    return Node(monkeypatch, tmp_path)


def test_bootstrap_and_settings_are_applied_once_a_leadership(node):
    assert node.tick() == ([], 1) and node.tick() == ([], 0)
    assert places.READY.exists() and places.ALIVE.exists()
    node.own, node.primary = {"state": "running", "role": "replica", "replication_state": "streaming"}, 503
    assert node.tick() == ([], 0)
    node.own, node.primary = {"state": "running", "role": "primary"}, 200
    assert node.tick() == ([], 1), "a new reign applies them again"


def test_the_bootstrap_waits_for_no_standby_and_ends_at_its_first_fault(node):
    node.keeper.tick()
    ((argv, how),) = node.sql
    assert argv[-1] == f"--file={places.BOOTSTRAP}" and "--set=ON_ERROR_STOP=1" in argv and how["check"]
    assert how["env"]["PGOPTIONS"] == "-c synchronous_commit=local", "no standby streams before its role exists"


def test_settings_that_cannot_be_read_are_written(node):
    node.config_status = 502
    assert node.tick()[0] == [("PUT", "/config", {"ttl": 30})]


def test_other_settings_of_the_cluster_are_replaced_and_a_refusal_is_a_fault(node, monkeypatch):
    node.config = {"ttl": 20}
    assert node.tick() == ([("PUT", "/config", {"ttl": 30})], 1)
    monkeypatch.setattr(patroni_api, "call", lambda *a, **k: (502, "no") if a[0] == "PUT" else node.call(*a, **k))
    node.keeper.applied = False
    with pytest.raises(RuntimeError, match="settings of the cluster refused with 502: no"):
        node.keeper.tick()
    assert not node.keeper.applied, "so the next look tries again"


@pytest.mark.parametrize(
    ("own", "primary"),
    [
        ({"state": "running", "role": "replica"}, 503),
        ({"state": "running", "role": "replica", "replication_state": "streaming"}, 503),
        ({"state": "running", "role": "primary"}, 503),  # promoted a moment ago, and not yet the leader
        ({"state": "running", "role": "replica"}, 200),
    ],
)
def test_only_who_leads_runs_the_bootstrap(node, own, primary):
    node.own, node.primary = own, primary
    assert node.tick()[1] == 0


@pytest.mark.parametrize(
    ("own", "ready"),
    [
        ({"state": "starting"}, False),
        ({"state": "running", "role": "replica"}, False),  # it serves, but follows nobody yet
        ({"state": "running", "role": "replica", "replication_state": "streaming"}, True),
        ({"state": "running", "role": "primary"}, True),
    ],
)
def test_ready_means_that_it_serves_as_leader_or_as_standby(node, own, ready):
    node.own = own
    node.primary = 200 if own.get("role") == "primary" else 503
    node.tick()
    assert places.READY.exists() == ready and places.ALIVE.exists()


def test_a_restart_that_is_not_pending_any_more_is_forgotten(node):
    places.RESTARTED.write_text("{}")
    node.tick()
    assert not places.RESTARTED.exists()


LEADER = {"name": "n2", "role": "leader", "state": "running"}


@pytest.mark.parametrize(
    ("members", "calls"),
    [
        ([LEADER], ["/reinitialize"]),
        ([], []),  # nobody leads: this may be the last copy
        ([{**LEADER, "name": "n1"}], []),  # this very node leads
        ([{**LEADER, "state": "stopped"}], []),
        ([{**LEADER, "role": "quorum_standby"}], []),
    ],
)
def test_a_stuck_standby_is_cloned_anew_only_while_another_node_leads(node, members, calls):
    node.waits, node.members = "0000002C0000000000000011", members
    assert node.stuck() == calls


@pytest.mark.parametrize(("state", "calls"), [("starting", ["/reinitialize"]), ("streaming", [])])
def test_only_a_server_that_serves_nobody_yet_is_judged_by_what_it_replays(node, state, calls):
    node.members = [LEADER]
    node.replays = "0000002C0000000000000011 (3 s of replay)"
    assert node.stuck(state) == calls


@pytest.mark.parametrize(("state", "calls"), [("starting", ["/reinitialize"]), ("streaming", [])])
def test_only_a_server_that_serves_nobody_yet_is_judged_by_what_it_can_reach(node, state, calls):
    node.members, node.behind = [LEADER], "must replay to 0/2, but timeline 43 ended at 0/1"
    assert node.stuck(state) == calls


def test_a_standby_that_waits_now_and_then_is_left_alone(node):
    node.members = [LEADER]
    for _ in range(3 * STUCK_SECONDS):
        node.waits = None if node.clock % 2 else "0000002C0000000000000011"
        node.keeper.unstick("running")
        node.clock += 1
    assert node.calls == []


def test_a_server_that_does_not_start_is_cloned_anew_whatever_else_patroni_tries_meanwhile(node):
    node.members = [LEADER]
    for _ in range(STUCK_SECONDS + 2):
        node.keeper.unstick("start failed" if node.clock % 10 == 0 else "starting")
        node.clock += 1
    assert [path for _, path, _ in node.calls] == ["/reinitialize"]


def test_a_look_without_an_answer_is_said_once_and_ends_nothing(node, monkeypatch, capsys):
    stopped, looks = threading.Event(), []

    def tick(self):
        looks.append(1)
        if len(looks) == 3:
            stopped.set()
        raise subprocess.SubprocessError("no answer")

    monkeypatch.setattr(Keeper, "tick", tick)
    monkeypatch.setattr(keeper_module, "FIRST_TICK_SECONDS", 0)
    keeper_module.keep(node.keeper, stopped)
    assert len(looks) == 3 and capsys.readouterr().err.count("not yet: ") == 1
