"""Services on a machine that this computer has no daemon of: exec, files, figures and transfers reach them."""

from __future__ import annotations

import io
import tarfile
import time

import pytest

from centre.reach import ssh
from centre.reach.runtime import Runtime, Unreachable
from centre.reach.transfer import carry
from tests.machines.fleet import OPERATOR
from tests.support.daemons import close_links
from tests.support.polling import PATIENCE, poll

SECONDS = 120
TIMEOUT = 5  # of a daemon that is frozen
MUCH = 20_000_000
PLACES = {"reach-two": "m2", "reach-three": "m3"}


@pytest.fixture(scope="session")
def placed(machines, prepared):
    """A service on m2 and one on m3, neither of which publishes anything."""
    for service, machine in PLACES.items():
        command = "tar -C / -c bin sbin lib lib64 usr/bin usr/lib usr/lib64 etc 2>/dev/null | docker import - reach:1"
        machines.run(machine, "sh", "-c", command)
        machines.run(
            "m1", "docker", "service", "create", "--quiet", "--detach", "--no-resolve-image", "--name", service,
            "--constraint", f"node.labels.asp.machine=={machine}", "--mount", "type=tmpfs,target=/tmp",
            "reach:1", "sleep", "86400",
        )  # fmt: skip
    yield
    machines.run("m1", "docker", "service", "rm", *PLACES)


@pytest.fixture
def reach(machines, placed, monkeypatch):
    """Runtimes of the environment, by the time that a daemon may take; their connections end with the test."""
    monkeypatch.setenv(ssh.KEY, str(machines.key()))
    yield lambda timeout=30: Runtime(machines.register, timeout)
    close_links()


def connections(machines, machine):
    """SSH connections from this computer to a machine."""
    peers = machines.run(machine, "ss", "-Hnt", "state", "established", "sport = :22").splitlines()
    return sum(f"{OPERATOR}:" in peer for peer in peers)


def test_a_command_has_its_input_output_and_exit_code_and_fifty_take_one_connection(machines, reach):
    runtime = reach()
    runtime.container("reach-three", wait=SECONDS)
    result = runtime.run("reach-three", ["sh", "-c", "cat; hostname >&2; exit 7"], stdin="árvíz")
    container = machines.run("m3", "docker", "ps", "--quiet", "--filter", "name=reach-three").strip()
    assert (result.code, result.out, result.err.strip()) == (7, "árvíz", container)
    before = connections(machines, "m3")
    for number in range(50):
        assert runtime.run("reach-three", ["cat"], stdin=str(number)).out == str(number)
    assert (before, connections(machines, "m3")) == (1, 1)
    assert runtime.run("reach-three", ["sh", "-c", "echo at once"]).out == "at once\n"


def test_files_and_figures_come_from_the_machine_that_runs_it(reach):
    runtime = reach()
    container = runtime.container("reach-three", wait=SECONDS)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("there")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"whole"))
    assert container.put_archive("/etc", stream.getvalue())
    assert runtime.check("reach-three", ["cat", "/etc/there"]) == "whole"
    figures = container.stats(stream=False)
    assert figures["id"] == container.id and figures["memory_stats"]["usage"] > 0


def test_a_transfer_passes_between_two_machines_whole(reach):
    runtime = reach()
    giver, taker = (runtime.container(service, wait=SECONDS) for service in PLACES)
    assert carry(giver, ["head", "-c", str(MUCH), "/dev/zero"], taker, ["dd", "of=/tmp/much", "bs=64k"]) == MUCH
    assert runtime.check("reach-three", ["stat", "-c", "%s", "/tmp/much"]).strip() == str(MUCH)


def test_every_machine_is_asked_for_what_belongs_to_the_environment(machines, reach):
    labels = [daemon.info()["Name"] for daemon in reach().daemons()]
    assert labels == ["m1", "m2", "m3"]


def test_a_daemon_that_is_frozen_is_told_in_bounded_time_and_reached_when_it_goes_on(machines, reach):
    runtime = reach(TIMEOUT)
    runtime.container("reach-three", wait=SECONDS)
    machines.run("m3", "systemctl", "kill", "--kill-whom=main", "--signal=STOP", "docker")
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="service reach-three: machine m3: its Docker daemon does not answer"):
            runtime.run("reach-three", ["true"])
        assert time.monotonic() - began < 4 * TIMEOUT * PATIENCE
        assert runtime.container("reach-two", wait=SECONDS), "the others are reached meanwhile"
    finally:
        machines.run("m3", "systemctl", "kill", "--kill-whom=main", "--signal=CONT", "docker")

    def answer():
        try:
            return runtime.run("reach-three", ["cat"], stdin="back").out
        except Unreachable as fault:
            return str(fault)

    poll(answer, lambda text: text == "back", SECONDS, "m3 is reached again")
