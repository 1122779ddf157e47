"""The fencer releases a leader's key only on proof, and says why when it does not; the checker sees what it must.

Engine and etcd are the program's own classes with only their wire replaced, so that each refusal can be brought about.
The real ones meet in tests/bench/database_faults.py.
"""

import json

import pytest
from asp_failover import fence, watch
from asp_failover.engine import EngineFault
from asp_failover.etcd import Etcd, EtcdFault, decode, encode

from tests.bench.database_cell import overlaps
from tests.unit.stacks.images.asp_failover.machine import Machine

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
            assert set(body) == {"key", "range_end"}, "anything else may be an answer that no quorum confirmed"
            start = decode(body["key"])
            found = [(key, pair) for key, pair in self.keys.items() if key.startswith(start)]
            rows = [
                {"key": encode(k), "value": encode(v), "create_revision": str(r), "mod_revision": str(r)}
                for k, (v, r) in found
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


@pytest.fixture
def cell(tmp_path, monkeypatch):
    monkeypatch.setattr(fence, "PROOF_SECONDS", 0.1)
    monkeypatch.setattr(fence, "STANDBY_SECONDS", 0.0)
    machine, wire, audit = Machine(*NODES), Wire(), fence.Audit(tmp_path)
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


def test_what_is_to_be_given_back_is_on_disk_before_it_is_taken(cell):
    watcher, machine, _, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    scale = machine.scale
    on_disk = []

    def look_first(name, replicas):
        on_disk.append(fence.Audit(audit.folder).pending)
        scale(name, replicas)

    machine.scale = look_first
    watcher.tick()
    assert on_disk == [{OLD: 1}, {OLD: 1}], "a kill at either call leaves what the next start needs"


def test_the_proof_is_on_disk_before_the_key_goes(cell, monkeypatch):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    call, syncs, on_disk = wire.call, [], []
    monkeypatch.setattr(fence.os, "fsync", syncs.append)

    def look_first(path, body):
        if path == "/v3/kv/txn":
            on_disk.extend(entry["event"] for entry in lines(audit))
            assert len(syncs) >= len(on_disk), "a line in memory is lost with the machine"
        return call(path, body)

    wire.call = look_first
    watcher.tick()
    assert on_disk == ["fencing", "proof"]


def test_every_container_of_a_dead_leader_is_cut_off_its_network(cell):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    machine.add(OLD, "c-second", "exited")
    machine.networks["c-second"] = "m"
    watcher.tick()
    assert f"{SCOPE}leader" not in wire.keys and machine.attached == {f"c-{NEW}"}


def test_a_container_that_was_removed_has_ended(cell):
    watcher, machine, wire, audit = cell
    audit.alive(OLD, [f"c-{OLD}", "c-gone"])
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    assert f"{SCOPE}leader" not in wire.keys


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
        (2, "it has no network", True, True),  # and hands over to nobody
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


@pytest.mark.parametrize(
    ("reasons", "tasks_of", "silent", "suspected"),
    [
        ({"c-second": "it has no network"}, {}, 2, False),  # the other one may be busy
        ({"c-second": "it has no network", f"c-{OLD}": "its processes are stopped"}, {}, 2, True),
        ({}, {"c-second": "t-former"}, 6, True),  # that one ends, and the present one is silent
    ],
)
def test_of_two_containers_both_must_show_it(cell, reasons, tasks_of, silent, suspected):
    watcher, machine, _, _ = cell
    machine.add(OLD, "c-second", "running")
    machine.reasons, machine.tasks_of = reasons, tasks_of
    watcher._answered[OLD] = watch.time.monotonic() - silent
    assert bool(watcher.suspicion(OLD)) == suspected


def test_a_container_that_is_being_restarted_is_not_dead(cell):
    watcher, machine, _, _ = cell
    machine.state[f"c-{OLD}"] = "restarting"
    assert watcher.suspicion(OLD) is None


@pytest.mark.parametrize(("answer", "suspected"), [(None, True), ({"state": "starting"}, False)])
def test_whatever_a_leader_says_is_an_answer_and_silence_is_none(cell, answer, suspected):
    watcher, _, _, _ = cell
    watcher.tick()
    watcher._answered[OLD] = watch.time.monotonic() - 60
    watcher._ask = lambda name: answer
    watcher.hear()
    assert bool(watcher.suspicion(OLD)) == suspected


def test_a_look_without_an_answer_of_etcd_is_counted_and_not_taken_for_one(cell):
    watcher, _, wire, _ = cell
    watcher.last_tick = 1.0

    def silent(path, body):
        raise EtcdFault("etcd: no member answers")

    call, wire.call = wire.call, silent
    assert str(watcher.look()) == "etcd: no member answers"
    assert watcher.counts["faults"] == 1 and watcher.last_tick == 1.0
    wire.call = call
    assert watcher.look() is None and watcher.last_tick > 1.0


@pytest.mark.parametrize("state", ["running", "streaming", "in archive recovery"])
def test_a_standby_in_each_of_these_states_can_take_over(cell, state):
    watcher, machine, wire, _ = cell
    watcher._ask = lambda name: {"state": state}
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    assert f"{SCOPE}leader" not in wire.keys


def test_one_standby_that_answers_twice_is_one(cell, monkeypatch):
    monkeypatch.setattr(fence, "STANDBY_SECONDS", 0.1)
    monkeypatch.setattr(fence, "STANDBY_PAUSE", 0.01)
    watcher, machine, wire, _ = cell
    no_vote(*cell)
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    assert f"{SCOPE}leader" in wire.keys and watcher.counts["refused"] == 1


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


def standby_of_another(watcher, machine, wire, audit):
    """Its rows are those of a leader that is not this one."""
    wire.keys[f"{SCOPE}sync"] = (json.dumps({"leader": THIRD, "sync_standby": NEW}), 7)


def starting_standby(watcher, machine, wire, audit):
    watcher._ask = lambda name: {"state": "starting"}


def stopped_standby(watcher, machine, wire, audit):
    watcher._ask = lambda name: {"state": "stopped"}


def shown_as_running(watcher, machine, wire, audit):
    machine.shown[f"c-{OLD}"] = {"Running": True}


def second_container(watcher, machine, wire, audit):
    """Never seen alive, it runs, and kills do nothing to it."""
    machine.add(OLD, "c-second", "running")
    machine.stubborn = True


def still_has_a_process(watcher, machine, wire, audit):
    machine.shown[f"c-{OLD}"] = {"Pid": 77}


def is_being_restarted(watcher, machine, wire, audit):
    machine.shown[f"c-{OLD}"] = {"Restarting": True}


def is_frozen(watcher, machine, wire, audit):
    machine.shown[f"c-{OLD}"] = {"Paused": True}


def seen_alive_and_not_listed(watcher, machine, wire, audit):
    """Another container of it was seen alive; the list has lost it, and it runs."""
    audit.alive(OLD, [f"c-{OLD}", "c-lost"])
    machine.add(OLD, "c-lost")
    machine.off_list.add("c-lost")


def another_machine(watcher, machine, wire, audit):
    machine.where = "there"


def never_seen(watcher, machine, wire, audit):
    audit.containers.clear()


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
        (standby_of_another, "no standby is known to have every acknowledged row"),
        (starting_standby, "standbys that answer: none"),
        (stopped_standby, "standbys that answer: none"),
        (shown_as_running, "not shown to be stopped and cut off"),
        (second_container, "not shown to be stopped and cut off"),
        (still_has_a_process, "not shown to be stopped and cut off"),
        (is_being_restarted, "not shown to be stopped and cut off"),
        (is_frozen, "not shown to be stopped and cut off"),
        (seen_alive_and_not_listed, "not shown to be stopped and cut off"),
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


@pytest.mark.parametrize(
    "missing", [no_standby, silent_standby, no_vote, standby_of_another, another_machine, never_seen]
)
def test_what_is_refused_beforehand_touches_nothing(cell, missing):
    watcher, machine, _, _ = cell
    machine.state[f"c-{OLD}"] = "exited"
    missing(*cell)
    watcher.act(LEADER, "its end")
    assert machine.calls == []


def proof(audit):
    return {item["container"]: item["state" if "state" in item else "Status"] for item in event(audit, "proof")}


def event(audit, name):
    (entry,) = [entry for entry in lines(audit) if entry["event"] == name]
    return entry["containers"]


def test_each_of_several_containers_is_killed_and_proven(cell):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    machine.add(OLD, "c-frozen", "paused")
    machine.add(OLD, "c-running")
    watcher.act(LEADER, "its end")
    assert proof(audit) == {f"c-{OLD}": "exited", "c-frozen": "exited", "c-running": "exited"}
    assert not machine.attached & {f"c-{OLD}", "c-frozen", "c-running"}
    assert ("kill", f"c-{OLD}") not in machine.calls and f"{SCOPE}leader" not in wire.keys


def test_an_end_that_is_shown_late_is_waited_for(cell):
    watcher, machine, wire, audit = cell
    machine.late = 3
    watcher.act(LEADER, "its end")
    assert proof(audit) == {f"c-{OLD}": "exited"} and f"{SCOPE}leader" not in wire.keys


def test_an_end_that_is_shown_too_late_is_no_proof(cell):
    watcher, machine, wire, audit = cell
    machine.late = 10_000
    watcher.act(LEADER, "its end")
    assert f"{SCOPE}leader" in wire.keys and watcher.counts["refused"] == 1


@pytest.mark.parametrize("state", ["exited", "dead"])
def test_a_container_that_the_list_alone_calls_ended_is_no_proof(cell, state):
    watcher, machine, wire, audit = cell
    machine.list_states[f"c-{OLD}"] = state
    watcher.act(LEADER, "its end")
    assert f"{SCOPE}leader" in wire.keys and watcher.counts["refused"] == 1


def test_a_container_that_the_list_alone_calls_running_is_proven_by_its_end(cell):
    watcher, machine, wire, audit = cell
    machine.finish(f"c-{OLD}", 137)
    machine.list_states[f"c-{OLD}"] = "running"
    watcher.act(LEADER, "its end")
    assert proof(audit) == {f"c-{OLD}": "exited"} and f"{SCOPE}leader" not in wire.keys


def test_a_removed_container_that_was_seen_alive_is_proven_by_its_absence(cell):
    watcher, machine, wire, audit = cell
    machine.remove(f"c-{OLD}")
    watcher.act(LEADER, "its end")
    assert proof(audit) == {f"c-{OLD}": "removed"} and f"{SCOPE}leader" not in wire.keys


def test_an_engine_that_falls_silent_in_the_middle_is_no_proof(cell, monkeypatch):
    watcher, machine, wire, audit = cell

    def silent(container):
        raise EngineFault("GET /containers: timed out")

    monkeypatch.setattr(machine, "inspect", silent)
    watcher.act(LEADER, "its end")
    assert f"{SCOPE}leader" in wire.keys and machine.replicas[OLD] == 1
    assert [entry["event"] for entry in lines(audit)] == ["fencing", "refused", "given back"]


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


def test_replicas_that_could_not_be_given_back_are_not_forgotten(cell, tmp_path):
    watcher, machine, wire, audit = cell
    audit.pending[OLD] = 1
    wire.keys[f"{SCOPE}leader"] = (NEW, 50)

    def refuse(name, replicas):
        raise EngineFault("POST /services: 500 update out of sequence")

    machine.scale = refuse
    assert "out of sequence" in str(watcher.look())
    assert audit.pending == {OLD: 1}


@pytest.mark.parametrize(("leader", "replicas"), [(OLD, 0), (NEW, 1), (None, 1)])
def test_replicas_are_given_back_once_the_key_is_not_the_fenced_nodes(cell, leader, replicas):
    watcher, machine, wire, audit = cell
    machine.replicas[OLD] = 0
    audit.pending[OLD] = 1
    wire.keys.pop(f"{SCOPE}leader")
    if leader:
        wire.keys[f"{SCOPE}leader"] = (leader, 50)
    watcher.tick()
    assert machine.replicas[OLD] == replicas


def test_fenced_again_before_it_was_given_back_it_gets_its_replicas(cell):
    """Killed after it had set them to 0: what the service shows now is its own doing."""
    watcher, machine, wire, audit = cell
    machine.replicas[OLD] = 0
    audit.pending[OLD] = 1
    machine.state[f"c-{OLD}"] = "exited"
    watcher.act(LEADER, "its end")
    assert f"{SCOPE}leader" not in wire.keys and machine.replicas[OLD] == 1 and audit.pending == {}


def test_a_new_reign_starts_with_full_patience(cell):
    watcher, machine, wire, _ = cell
    watcher._ask = lambda name: None
    watcher.tick()
    watcher._answered[NEW] = watch.time.monotonic() - 60
    machine.reason = "it has no network"
    wire.keys[f"{SCOPE}leader"] = (NEW, 50)
    watcher.tick()
    assert machine.calls == [] and watcher.counts["refused"] == 0


def test_what_was_refused_is_not_tried_at_every_look(cell):
    watcher, machine, wire, audit = cell
    machine.state[f"c-{OLD}"] = "exited"
    no_standby(*cell)
    for _ in range(5):
        watcher.tick()
    assert watcher.counts["refused"] == 1
    watcher._refused_until = 0.0
    watcher.tick()
    assert watcher.counts["refused"] == 2


def test_a_leader_of_another_name_is_left_alone(cell):
    watcher, machine, wire, _ = cell
    machine.state["c-stranger"] = "exited"
    wire.keys[f"{SCOPE}leader"] = ("stranger", 41)
    watcher.tick()
    assert machine.calls == [] and watcher.counts["refused"] == 0


def test_a_container_is_seen_alive_only_when_its_patroni_answers(cell):
    watcher, _, _, audit = cell
    audit.containers.clear()
    watcher.tick()
    assert audit.containers == {}
    watcher._heard.add(OLD)
    watcher.tick()
    assert audit.containers == {OLD: [f"c-{OLD}"]}


def test_who_was_seen_alive_is_known_to_the_next_fencer(cell, tmp_path):
    assert fence.Audit(tmp_path).containers == {OLD: [f"c-{OLD}"]}


@pytest.mark.parametrize("other", [None, "running"])
def test_which_of_two_containers_answered_is_not_known(cell, other):
    watcher, machine, _, audit = cell
    audit.containers.clear()
    watcher._heard.add(OLD)
    if other:
        machine.add(OLD, "c-second", other)
    watcher.tick()
    assert bool(audit.containers) == (other is None)


def test_the_answer_of_a_fenced_container_is_none_of_the_next_one(cell):
    watcher, machine, wire, audit = cell
    watcher._heard.add(OLD)
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    audit.containers.clear()
    machine.state[f"c-{OLD}"] = "running"
    wire.keys[f"{SCOPE}leader"] = (OLD, 43)
    watcher.tick()
    assert audit.containers == {}


@pytest.mark.parametrize(("other", "reason"), [("running", None), ("paused", "its container is frozen")])
def test_one_frozen_container_of_two_is_no_reason(cell, other, reason):
    watcher, machine, _, _ = cell
    machine.state[f"c-{OLD}"] = "paused"
    machine.add(OLD, "c-second", other)
    assert watcher.suspicion(OLD) == reason


def test_what_it_did_is_told_as_metrics(cell):
    watcher, machine, _, _ = cell
    machine.state[f"c-{OLD}"] = "exited"
    watcher.tick()
    lines = watcher.metrics().splitlines()
    assert {
        'asp_fencer_fences_total{outcome="released"} 1',
        'asp_fencer_fences_total{outcome="faults"} 0',
        f'asp_fencer_leader{{node="{OLD}"}} 1',
        f'asp_fencer_leader{{node="{NEW}"}} 0',
        "# TYPE asp_fencer_fences_total counter",
    } <= set(lines)
    assert sum(line.startswith(("asp_fencer_last_fence_seconds ", "asp_fencer_last_look_")) for line in lines) == 2


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
