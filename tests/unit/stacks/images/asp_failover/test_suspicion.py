"""When the fencer takes a leader for dead: what it sees of it, how long it was silent, and what it remembers."""

import pytest
from asp_failover import fence, watch
from asp_failover.etcd import EtcdFault

from tests.unit.stacks.images.asp_failover.cell import NEW, OLD, SCOPE


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


def test_a_new_reign_starts_with_full_patience(cell):
    watcher, machine, wire, _ = cell
    watcher._ask = lambda name: None
    watcher.tick()
    watcher._answered[NEW] = watch.time.monotonic() - 60
    machine.reason = "it has no network"
    wire.keys[f"{SCOPE}leader"] = (NEW, 50)
    watcher.tick()
    assert machine.calls == [] and watcher.counts["refused"] == 0


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
