"""Modules swarm_member and swarm_nodes: what they change, what they refuse, and that check mode changes nothing."""

from __future__ import annotations

import pytest
import yaml

from centre.action import arguments
from tests.support.modules import centre_module
from tests.unit.roles.swarm import Daemon, node

MEMBER, NODES = centre_module("swarm_member"), centre_module("swarm_nodes")
EngineFault = MEMBER.EngineFault
ACTIVE = {"LocalNodeState": "active", "NodeID": "n1", "NodeAddr": "10.0.0.1", "ControlAvailable": True,
          "Cluster": {"ID": "ours"}, "RemoteManagers": [{"NodeID": "n1", "Addr": "10.0.0.1:2377"}]}  # fmt: skip
WORKER = ACTIVE | {"ControlAvailable": False, "Cluster": None}


def member(daemon, check=False, **params):
    default = {"state": "present", "address": "10.0.0.1", "cluster": "", "managers": [], "token": ""}
    return MEMBER.run(daemon, default | params, check)


def nodes(daemon, check=False, **params):
    default = {"machines": [], "gone": "", "keep": "", "dead_only": False, "patience": 0}
    return NODES.run(daemon, default | params, check)


@pytest.mark.parametrize("module", [MEMBER, NODES], ids=["swarm_member", "swarm_nodes"])
def test_its_arguments_are_those_of_its_documentation(module):
    spec = {
        option: {key: value for key, value in entry.items() if key != "no_log"}
        for option, entry in module.ARGUMENTS.items()
    }
    assert spec == arguments(module.DOCUMENTATION)
    (example,) = yaml.safe_load(module.EXAMPLES)
    name = yaml.safe_load(module.DOCUMENTATION)["module"]
    assert set(example[f"asp.centre.{name}"]) <= set(spec)
    for value in yaml.safe_load(module.RETURN).values():
        assert set(value) <= {"type", "elements", "returned", "description"}


def test_the_token_is_never_shown():
    assert MEMBER.ARGUMENTS["token"]["no_log"] is True


def test_a_swarm_begins_with_the_address_of_the_register():
    daemon = Daemon()
    assert member(daemon)["changed"]
    assert daemon.calls == [("POST", "/swarm/init", {"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "10.0.0.1"})]


def test_a_machine_joins_at_the_managers_with_their_token():
    daemon = Daemon()
    outcome = member(daemon, cluster="ours", managers=["10.0.0.2", "10.0.0.3"], token="secret")
    ((_, path, body),) = daemon.calls
    assert outcome["changed"] and outcome["node"] == "n9" and path == "/swarm/join"
    assert (body["RemoteAddrs"], body["JoinToken"]) == (["10.0.0.2:2377", "10.0.0.3:2377"], "secret")


def test_a_member_of_our_swarm_is_left_alone():
    daemon = Daemon(info=ACTIVE)
    outcome = member(daemon, cluster="ours")
    assert (outcome["changed"], outcome["manager"], daemon.calls) == (False, True, [])
    assert outcome["tokens"] == {"manager": "token-m", "worker": "token-w"}
    assert not member(Daemon(info=WORKER), cluster="ours", managers=["10.0.0.1"])["changed"]


@pytest.mark.parametrize(
    ("info", "params", "says"),
    [
        (ACTIVE, {"cluster": "theirs"}, r"in another one \(managers: 10.0.0.1\); wanted: theirs.*swarm leave --force"),
        (WORKER, {"cluster": "ours", "managers": ["10.0.0.9"]}, r"in another one .*; wanted: that of 10.0.0.9"),
        (ACTIVE, {"cluster": "ours", "address": "10.0.0.7"}, "advertises 10.0.0.1; wanted: 10.0.0.7, as the register"),
        ({"LocalNodeState": "locked"}, {"cluster": "ours"}, "part in it is 'locked'; wanted: active, or none"),
    ],
    ids=["manager of another", "worker of another", "another address", "locked"],
)
def test_a_member_of_something_else_is_refused(info, params, says):
    daemon = Daemon(info=info)
    with pytest.raises(EngineFault, match=says):
        member(daemon, **params)
    assert daemon.calls == []


def test_leaving_is_done_once():
    daemon = Daemon(info=ACTIVE)
    assert member(daemon, state="absent")["changed"] and not member(daemon, state="absent")["changed"]
    assert [path for _, path, _ in daemon.calls] == ["/swarm/leave"]


def test_check_mode_tells_and_does_nothing():
    for state, info in (("present", {}), ("absent", ACTIVE)):
        daemon = Daemon(info=info)
        assert member(daemon, check=True, state=state)["changed"] and daemon.calls == []
    bare = Daemon()
    bare.up = False
    assert member(bare, check=True)["changed"] and not member(bare, check=True, state="absent")["changed"]
    assert member(bare, state="read")["node"] == ""
    with pytest.raises(EngineFault, match="nothing answers at its socket; wanted: a running daemon"):
        member(bare)


def test_a_daemon_that_has_just_started_is_waited_for(monkeypatch):
    states = iter([{"LocalNodeState": "pending"}, {"LocalNodeState": "pending"}, ACTIVE])
    daemon = Daemon()
    monkeypatch.setattr(daemon, "get", lambda path: {"Swarm": next(states)})
    assert MEMBER.read(daemon, patience=5).node == "n1"
    monkeypatch.setattr(daemon, "get", lambda path: {"Swarm": {"LocalNodeState": "pending"}})
    assert MEMBER.read(daemon, patience=0).state == "pending"


LABELS = {"asp.machine": "m2", "asp.role.data": True}


def test_labels_role_and_availability_follow_the_register_and_others_labels_stay():
    daemon = Daemon(node("n2", "", rack="7", **{"asp.role.edge": "true"}))
    wish = {"id": "m2", "node": "n2", "manager": False, "labels": LABELS, "availability": "active"}
    outcome = nodes(daemon, machines=[wish])
    labels = {"rack": "7", "asp.machine": "m2", "asp.role.data": "true"}
    assert daemon.nodes["n2"]["Spec"] == {"Role": "worker", "Availability": "active", "Labels": labels}
    assert outcome["steps"] == [
        "m2: role manager → worker",
        "m2: label asp.machine (none) → m2",
        "m2: label asp.role.data (none) → true",
        "m2: label asp.role.edge true → (none)",
    ]
    assert nodes(daemon, machines=[wish]) == {"changed": False, "steps": [], "diff": {"before": "", "after": ""}}


def test_a_node_is_drained_by_its_label_and_waited_for():
    daemon = Daemon(node("n1", "m1"), node("n2", "m2"), tasks=["running"])
    assert nodes(daemon, machines=[{"id": "m2", "availability": "drain"}])["steps"] == [
        "m2: availability active → drain"
    ]
    assert daemon.nodes["n2"]["Spec"]["Labels"] == {"asp.machine": "m2"}
    assert daemon.nodes["n1"]["Spec"]["Availability"] == "active"


def test_a_task_that_does_not_end_is_told(monkeypatch):
    daemon = Daemon(node("n2", "m2"))
    monkeypatch.setattr(daemon, "get", lambda path, get=daemon.get: (
        [{"Status": {"State": "running"}}] if path.startswith("/tasks") else get(path)))  # fmt: skip
    with pytest.raises(EngineFault, match="0 s have passed; wanted: no task of m2 runs. See docker node ps"):
        nodes(daemon, machines=[{"id": "m2", "availability": "drain"}])


def test_a_machine_without_a_node_is_told_when_one_is_needed():
    daemon = Daemon(node("n1", "m1"))
    with pytest.raises(EngineFault, match="machine m2 has no node; wanted: one"):
        nodes(daemon, machines=[{"id": "m2", "availability": "drain"}])
    assert not nodes(daemon, machines=[{"id": "m2", "node": ""}])["changed"], "it joins next"


@pytest.mark.parametrize("own", ["", "n9"])
def test_a_machine_that_was_another_node_is_a_replacement(own):
    daemon = Daemon(node("n2", "m2", "down"), node("n9", ""))
    with pytest.raises(EngineFault, match=r"m2 has been node n2 \(down\); wanted: no node but its own.*act=replace"):
        nodes(daemon, machines=[{"id": "m2", "node": own, "labels": LABELS}])
    assert daemon.calls == []


def test_a_dead_manager_is_demoted_and_forgotten_and_its_successor_stays():
    daemon = Daemon(node("n1", "m1"), node("n2", "m2", "down"), node("n9", "m2"))
    outcome = nodes(daemon, gone="m2", keep="n9", dead_only=True)
    assert outcome["steps"] == ["m2: demoted", "m2: node n2 removed"] and sorted(daemon.nodes) == ["n1", "n9"]
    assert not nodes(daemon, gone="m2", keep="n9", dead_only=True)["changed"]


def test_a_living_node_is_not_replaced():
    daemon = Daemon(node("n2", "m2", "ready"))
    with pytest.raises(EngineFault, match="n2 of machine m2 is ready; wanted: down.*use act=remove"):
        nodes(daemon, gone="m2", dead_only=True)
    assert daemon.calls == []


def test_a_living_machine_is_drained_before_it_is_removed():
    daemon = Daemon(node("n2", "m2", "ready", role="worker"), tasks=["running"])
    assert nodes(daemon, gone="m2")["steps"] == ["m2: drained", "m2: node n2 removed"]
    assert daemon.calls[-1][:2] == ("DELETE", "/nodes/n2?force=true") and daemon.tasks == ["shutdown"]


def test_check_mode_of_nodes_changes_none():
    daemon = Daemon(node("n2", "m2", "ready"), tasks=["running"])
    assert nodes(daemon, check=True, gone="m2")["steps"] == ["m2: drained", "m2: demoted", "m2: node n2 removed"]
    assert nodes(daemon, check=True, machines=[{"id": "m2", "availability": "drain"}])["changed"]
    assert daemon.calls == []
    daemon.up = False
    assert nodes(daemon, check=True, machines=[{"id": "m2", "node": ""}])["changed"]


def test_a_change_that_came_between_is_no_fault():
    daemon = Daemon(node("n2", "m2"))
    daemon.conflicts = 2
    assert nodes(daemon, patience=5, machines=[{"id": "m2", "manager": False}])["changed"]
    daemon.conflicts = 1
    with pytest.raises(EngineFault, match="out of sequence"):
        nodes(daemon, patience=-1, machines=[{"id": "m2", "manager": True}])
