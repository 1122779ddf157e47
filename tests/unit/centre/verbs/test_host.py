"""A machine that cannot be prepared is told what is missing, in one message, before anything is touched."""

import collections
import ipaddress
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from centre.verbs import host
from centre.verbs.progress import StepFailed, Steps
from tests.support.polling import poll


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """Steps whose commands are recorded instead of run."""
    steps = Steps(tmp_path)
    ran = []
    monkeypatch.setattr(steps, "command", lambda name, argv, *rest, **options: ran.append(argv) or "")
    steps.ran = ran
    return steps


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


class Daemon:
    """A daemon whose Swarm is in a state; keeps what it was given to make one of."""

    def __init__(self, **state):
        self.state, self.bodies = state, []

    def __call__(self, method, path, body=None):
        if path == "/swarm/init":
            self.bodies.append(body)
        return 200, json.dumps({"Swarm": self.state})


@pytest.fixture
def no_route(monkeypatch):
    class Socket(host.socket.socket):
        def connect(self, address):
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(host.socket, "socket", Socket)


def test_a_swarm_that_is_there_is_left_alone(monkeypatch):
    daemon = Daemon(LocalNodeState="active", ControlAvailable=True, NodeAddr="10.1.2.3")
    monkeypatch.setattr(host, "docker", daemon)
    assert host.swarm() is None and host.swarm("10.1.2.3") is None
    assert daemon.bodies == [] and host.cannot_grow() is None


def test_a_new_swarm_advertises_the_way_out_of_the_machine(monkeypatch):
    monkeypatch.setattr(host, "docker", daemon := Daemon(LocalNodeState="inactive"))
    monkeypatch.setattr(host, "default_address", lambda: "10.9.9.1")
    assert host.swarm() == "initialised, advertises 10.9.9.1"
    assert daemon.bodies == [{"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "10.9.9.1"}]


def test_a_new_swarm_advertises_what_was_asked(monkeypatch):
    monkeypatch.setattr(host, "docker", daemon := Daemon(LocalNodeState="inactive"))
    assert host.swarm("127.0.0.1") == "initialised, advertises 127.0.0.1"
    assert daemon.bodies == [{"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}]


def test_what_is_no_address_is_refused_before_a_swarm_is_made(monkeypatch):
    monkeypatch.setattr(host, "docker", daemon := Daemon(LocalNodeState="inactive"))
    with pytest.raises(StepFailed, match="--advertise-addr: seen 'eth0', wanted an IPv4 address"):
        host.swarm("eth0")
    assert daemon.bodies == []


def test_the_default_address_is_one_of_this_machine():
    assert ipaddress.IPv4Address(host.default_address())


def test_a_machine_without_a_route_has_its_loopback(no_route):
    assert host.default_address() == "127.0.0.1"


def test_an_old_swarm_is_left_and_reported(monkeypatch):
    daemon = Daemon(LocalNodeState="active", ControlAvailable=True, NodeAddr="127.0.0.1")
    monkeypatch.setattr(host, "docker", daemon)
    assert host.swarm() is None and daemon.bodies == []
    note = host.cannot_grow()
    assert "cannot grow: it advertises 127.0.0.1" in note and "docker swarm leave --force" in note


def test_another_address_than_the_swarms_is_refused(monkeypatch):
    daemon = Daemon(LocalNodeState="active", ControlAvailable=True, NodeAddr="127.0.0.1")
    monkeypatch.setattr(host, "docker", daemon)
    with pytest.raises(StepFailed, match=r"Swarm: advertises 127.0.0.1, wanted 10.1.2.3. To change it, remove every"):
        host.swarm("10.1.2.3")


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


def test_a_daemon_that_lives_is_not_forgotten_and_one_whose_end_nobody_asked_for_is(tmp_path):
    program, file = tmp_path / "dockerd", tmp_path / "docker.pid"
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    try:
        poll(Path("/proc", str(process.pid), "comm").read_text, lambda name: name == "dockerd\n", 20, "it has its name")
        file.write_text(f"{process.pid}\n")
        host.forget_dead_daemon(file)
        assert file.exists()
        process.kill()
        poll(lambda: host.runs(str(process.pid)), lambda lives: not lives, 20, "it is dead, and a zombie")
        host.forget_dead_daemon(file)
        assert not file.exists()
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def venvs(monkeypatch, tmp_path):
    """Folders in which a Python environment was begun: (what stood there already), with an interpreter afterwards."""
    folders = []

    def create(folder, clear, with_pip):
        folders.append(sorted(item.name for item in folder.iterdir()) if folder.is_dir() else [])
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "python").touch()
        if clear:
            (folder / "installing").unlink(missing_ok=True)

    monkeypatch.setattr(host, "LOCAL", tmp_path)
    monkeypatch.setattr(host.venv, "create", create)
    return folders


def test_an_environment_that_pip_was_killed_in_is_begun_anew(steps, venvs, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(steps, "command", die)
        host.environment(steps)
    assert host.environment(steps) == "installed from requirements.lock"
    assert venvs == [[], ["bin", "installing"]]
    assert host.environment(steps) is None and len(venvs) == 2


def test_an_environment_that_pip_gave_up_is_gone_on_with(steps, venvs, monkeypatch):
    def failed(*_):
        raise StepFailed("no network")

    with monkeypatch.context() as patch, pytest.raises(StepFailed, match="source reachable"):
        patch.setattr(steps, "command", failed)
        host.environment(steps)
    assert host.environment(steps) and len(venvs) == 1
