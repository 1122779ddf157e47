"""What the fencer's client of the engine asks, and what it takes an answer for."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from asp_failover.engine import Engine, EngineFault


class Wire(Engine):
    """An engine that gives `answers` (beginning of a path → status, body); `calls`: what it was asked."""

    def __init__(self, **answers):
        super().__init__("/nowhere")
        self.answers, self.calls = answers, []

    def raw(self, method, path, body=None):
        self.calls.append((method, path, body))
        status, content = next(answer for part, answer in self.answers.items() if f"/{part}" in path)
        return status, json.dumps(content).encode()

    def query(self):
        return {name: values[0] for name, values in parse_qs(urlsplit(self.calls[-1][1]).query).items()}


def test_containers_that_have_ended_are_listed_too():
    engine = Wire(containers=(200, []))
    engine.containers("n1")
    assert engine.query()["all"] == "1"
    assert json.loads(engine.query()["filters"]) == {"label": ["com.docker.swarm.service.name=n1"]}


def test_only_tasks_that_should_run_are_listed():
    engine = Wire(tasks=(200, []))
    engine.tasks("n1")
    assert json.loads(engine.query()["filters"]) == {
        "service": ["n1"],
        "desired-state": ["running", "ready", "accepted"],
    }


@pytest.mark.parametrize("status", [404, 409])
def test_what_has_ended_or_is_gone_needs_no_kill(status):
    Wire(containers=(status, {"message": "is not running"})).kill("c")


def test_a_kill_that_the_engine_cannot_do_is_a_fault():
    with pytest.raises(EngineFault, match="POST /containers/c/kill.signal=KILL: 500"):
        Wire(containers=(500, {"message": "cannot kill"})).kill("c")


def test_a_cut_of_what_is_not_there_is_none_and_one_that_fails_is_a_fault():
    Wire(networks=(500, {"message": "container c is not connected to network n"})).cut("c", "n")
    with pytest.raises(EngineFault, match="cannot reach"):
        Wire(networks=(500, {"message": "cannot reach the plugin"})).cut("c", "n")


def halted(networks, states):
    inspected = {"NetworkSettings": {"Networks": dict.fromkeys(networks, {})}}
    rows = {"Processes": [["1", state] for state in states]}
    return Wire(**{"containers/c/json": (200, inspected), "containers/c/top": (200, rows)}).halted("c")


@pytest.mark.parametrize(
    ("networks", "states", "reason"),
    [
        (["data"], ["Ss", "S", "S"], None),
        (["data"], ["T", "S", "S"], None),  # one process that somebody looks into
        (["data"], ["T", "S"], None),
        (["data"], ["Tl", "T", "S"], "its processes are stopped"),
        (["data"], [], None),
        ([], ["S"], "it has no network"),
    ],
)
def test_why_a_container_is_silent_is_what_the_engine_shows_of_it(networks, states, reason):
    assert halted(networks, states) == reason


def test_replicas_are_changed_for_the_version_that_was_read():
    service = {"ID": "s", "Version": {"Index": 7}, "Spec": {"Name": "n1", "Mode": {"Replicated": {"Replicas": 1}}}}
    engine = Wire(services=(200, service))
    assert engine.scale("n1", 0) == 1
    method, path, body = engine.calls[-1]
    assert (method, path) == ("POST", "/services/s/update?version=7")
    assert body == {"Name": "n1", "Mode": {"Replicated": {"Replicas": 0}}}
    engine = Wire(services=(200, service))
    assert engine.scale("n1", 1) == 1 and len(engine.calls) == 1, "what is so already is not changed"
