"""The fencer releases a leader's key only on proof, and says why when it does not.

Engine and etcd are the program's own classes with only their wire replaced, so that each refusal can be brought about.
The real ones meet in tests/bench/database_faults.py.
"""

import json

import pytest
from asp_failover import fence, watch
from asp_failover.engine import EngineFault

from tests.unit.stacks.images.asp_failover.cell import LEADER, NEW, NODES, OLD, SCOPE

THIRD = "asp-x-baz1-postgres-3"


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
    (refusal,) = [entry for entry in lines(audit) if entry["event"] == "refused"]
    assert why in refusal["why"]
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
