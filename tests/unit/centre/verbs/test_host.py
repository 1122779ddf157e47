"""A machine that cannot be prepared is told what is missing, in one message, before anything is touched."""

import collections
import json
import os

import pytest

from centre.verbs import host
from centre.verbs.progress import StepFailed, Steps


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """Steps whose commands are recorded instead of run."""
    made = Steps(tmp_path)
    ran = []
    monkeypatch.setattr(made, "command", lambda name, argv, *rest, **options: ran.append(argv) or "")
    made.ran = ran
    return made


@pytest.fixture
def machine(monkeypatch):
    """A machine that has everything; tests take things away."""
    there = {*host.PACKAGES, "docker", "dockerd", "apt-get", "apt-cache"}
    monkeypatch.setattr(host.shutil, "which", lambda name: f"/usr/bin/{name}" if name in there else None)
    monkeypatch.setattr(host, "docker", lambda *_: (200, "OK"))
    monkeypatch.setattr(host, "_ensurepip", lambda: True)
    monkeypatch.setattr(host, "_available", lambda package: package == "docker-cli")
    monkeypatch.setattr(host.os, "geteuid", lambda: 0)
    return there


def test_a_ready_machine_is_left_alone(machine, steps):
    assert host.packages(steps) is None
    assert host.engine(steps) is None
    assert steps.ran == []


def test_only_what_is_missing_is_installed(machine, steps):
    machine -= {"mmdebstrap", "docker"}
    assert host.packages(steps) == "installed mmdebstrap docker-cli"
    assert steps.ran[-1][-2:] == ["mmdebstrap", "docker-cli"]


def test_without_a_daemon_the_engine_is_installed(machine, steps, monkeypatch):
    machine -= {"dockerd"}
    monkeypatch.setattr(host, "docker", lambda *_: None)
    assert host.packages(steps) == "installed docker.io"


def test_who_is_not_root_is_told_what_to_install(machine, steps, monkeypatch):
    machine -= {"mmdebstrap"}
    monkeypatch.setattr(host.os, "geteuid", lambda: 1000)
    with pytest.raises(StepFailed, match="packages missing: mmdebstrap; seen user id 1000, wanted root"):
        host.packages(steps)
    assert steps.ran == []


def test_a_machine_without_apt_is_told_what_to_install(machine, steps):
    machine -= {"mmdebstrap", "apt-get"}
    with pytest.raises(StepFailed, match="packages missing: mmdebstrap; no apt-get here"):
        host.packages(steps)


def test_no_network_is_one_message(machine, steps, monkeypatch):
    machine -= {"mmdebstrap"}

    def fail(name, argv, *rest, **options):
        raise StepFailed(f"{name}: apt-get exited with 100")

    monkeypatch.setattr(steps, "command", fail)
    with pytest.raises(StepFailed, match=r"packages missing: mmdebstrap\. Is the package source reachable\?"):
        host.packages(steps)


def test_a_full_disk_is_said_first(monkeypatch, tmp_path):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(host, "LOCAL", tmp_path / "none")
    monkeypatch.setattr(host.shutil, "disk_usage", lambda _: usage(0, 0, 3 * 2**30))
    with pytest.raises(StepFailed, match=r"disk: seen 3\.0 GiB free at .*, wanted 12"):
        host.preflight()


@pytest.mark.parametrize(
    ("state", "outcome"),
    [({"LocalNodeState": "active", "ControlAvailable": True}, None), ({"LocalNodeState": "inactive"}, "initialised")],
)
def test_swarm_is_initialised_once(monkeypatch, state, outcome):
    asked = []

    def daemon(method, path, body=None):
        asked.append((method, path))
        return 200, json.dumps({"Swarm": state})

    monkeypatch.setattr(host, "docker", daemon)
    assert host.swarm() == outcome
    assert (("POST", "/swarm/init") in asked) == bool(outcome)


def test_a_node_that_is_still_starting_is_waited_for(monkeypatch):
    states = [{"LocalNodeState": "pending"}, {"LocalNodeState": "active", "ControlAvailable": True}]
    monkeypatch.setattr(host, "docker", lambda *_: (200, json.dumps({"Swarm": states.pop(0)})))
    assert host.swarm() is None
    assert states == []


def test_a_swarm_worker_is_no_manager(monkeypatch):
    state = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": False}}
    monkeypatch.setattr(host, "docker", lambda *_: (200, json.dumps(state)))
    with pytest.raises(StepFailed, match="Swarm: this node is active and no manager"):
        host.swarm()


def test_a_killed_daemons_process_file_is_forgotten(tmp_path):
    file = tmp_path / "docker.pid"
    file.write_text(f"{os.getpid()}\n")  # the number is in use, but by no daemon
    host.forget_dead_daemon(file)
    assert not file.exists()
    file.write_text("4194305\n")  # above the greatest number that Linux gives
    host.forget_dead_daemon(file)
    assert not file.exists()
