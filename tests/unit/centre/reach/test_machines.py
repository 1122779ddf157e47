"""Services on several machines: reached where they run, over one SSH connection each, and no stranger spoken to."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

import pytest

from centre.reach import link as links
from centre.reach import machines as module
from centre.reach import ssh
from centre.reach.link import PROGRAM
from centre.reach.machines import Machines
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from centre.reach.transfer import carry
from inventory.machines import ONE_MACHINE
from inventory.register import load
from tests.support.daemons import Daemon, close_links, listening
from tests.support.polling import poll
from tests.support.ssh_server import joining, pair, serving

NODES = {"n1": "m1", "n2": "m2", "n3": "m3"}
BOUND = 5  # seconds for what must end soon, on a busy machine


class Fleet:
    """Three machines, each an SSH server before a daemon of its own. `ports`: where each is reached."""

    def __init__(self, stack, folder):
        text, operator = pair()
        self.key = folder / "operator"
        self.key.write_text(text)
        self.daemons, self.ports, self.connections = {}, {}, {}
        environment = load("three").environment
        machines = []
        for machine in environment.machines:
            _, host_key = pair()
            daemon = Daemon(f"n{machine.id[1:]}", nodes=dict(NODES))
            socket = stack.enter_context(listening(daemon, folder / f"{machine.id}.sock"))
            programs = {PROGRAM.encode(): joining(socket)}
            self.daemons[machine.id], self.connections[machine.id] = daemon, []
            self.ports[machine.id] = stack.enter_context(
                serving(host_key, operator, programs, 4, self.connections[machine.id])
            )
            machines.append(machine.model_copy(update={"host_key": ssh.public(host_key)}))
        self.environment = environment.model_copy(update={"machines": machines})

    def place(self, service, *machines, health="healthy"):
        for machine in machines:
            self.daemons[machine].containers[service] = health
        for daemon in self.daemons.values():
            daemon.tasks[service] = [f"n{machine[1:]}" for machine in machines]

    def runtime(self, timeout=30):
        return Runtime(SimpleNamespace(environment=self.environment), timeout)


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    with ExitStack() as stack:
        three = Fleet(stack, tmp_path)

        def near(name, to):
            return links.link(name, replace(to, host="127.0.0.1", port=three.ports[name]))

        monkeypatch.setattr(module, "link", near)
        monkeypatch.setattr(module, "CONNECT_SECONDS", 2)
        monkeypatch.setattr(module, "PROBE_SECONDS", 2)
        monkeypatch.setenv(ssh.KEY, str(three.key))
        yield three
        close_links()


@pytest.fixture
def silent():
    """A port at which somebody listens and nobody ever answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_command_runs_where_the_service_does_with_its_input_output_and_exit_code(fleet):
    fleet.place("cell", "m3")
    fleet.daemons["m3"].code = 7
    result = fleet.runtime().run("cell", ["cat"], stdin="árvíz", timeout=BOUND)
    assert (result.code, result.out, result.err) == (7, "n3: árvíz", "done")
    assert "POST /exec" not in " ".join(fleet.daemons["m1"].requests), "nothing of it runs on the manager"


def test_fifty_commands_take_one_connection_and_leave_no_channel(fleet):
    fleet.place("cell", "m3")
    runtime = fleet.runtime()
    for number in range(50):
        assert runtime.run("cell", ["cat"], stdin=str(number), timeout=BOUND).out == f"n3: {number}"
    assert [len(fleet.connections[machine]) for machine in ("m1", "m2", "m3")] == [1, 0, 1]
    assert fleet.runtime().run("cell", ["cat"], stdin="", timeout=BOUND).code == 0
    assert len(fleet.connections["m3"]) == 1, "the process keeps it for every runtime"


def test_much_input_and_output_pass_each_other(fleet):
    fleet.place("cell", "m3")
    text = "y" * 3 * 2**20  # more than a window
    assert fleet.runtime().run("cell", ["cat"], stdin=text, timeout=60).out == f"n3: {text}"


def test_a_database_is_carried_from_one_machine_to_another(fleet):
    fleet.place("giver", "m2")
    fleet.place("taker", "m3")
    fleet.daemons["m2"].output = bytes(range(256)) * 4096
    runtime = fleet.runtime()
    assert carry(runtime.container("giver"), ["dump"], runtime.container("taker"), ["load"], 60) == len("n2: ") + 2**20
    fleet.daemons["m3"].code = 1
    with pytest.raises(RuntimeFault, match="load exited with 1"):
        carry(runtime.container("giver"), ["dump"], runtime.container("taker"), ["load"], 60)


def test_a_connection_that_has_no_channel_left_is_joined_by_another_and_there_is_an_end(fleet, monkeypatch):
    monkeypatch.setattr(links, "CONNECTIONS", 2)
    fleet.place("cell", "m3")
    container = fleet.runtime().container("cell")
    streams = []
    with pytest.raises(Unreachable, match="machine m3: seen 2 connections with no channel left; wanted: one"):
        for _ in range(20):
            handle = container.client.api.exec_create(container.id, ["cat"], stdin=True)["Id"]
            streams.append(container.client.api.exec_start(handle, socket=True))
    assert len(fleet.connections["m3"]) == 2 and len(streams) >= 5
    for stream in streams:
        stream.close()
    close_links()


def test_a_stream_that_is_left_gives_its_channel_back(fleet):
    fleet.place("cell", "m3")
    container = fleet.runtime().container("cell")
    for _ in range(12):  # three times what a connection may have at once
        handle = container.client.api.exec_create(container.id, ["cat"], stdin=True)["Id"]
        container.client.api.exec_start(handle, socket=True).close()
        time.sleep(0.02)  # a thread gives it back
    assert fleet.runtime().run("cell", ["cat"], stdin="", timeout=BOUND).code == 0
    assert len(fleet.connections["m3"]) <= 2


def test_a_dead_manager_is_skipped_and_not_waited_for_again(fleet, silent):
    fleet.place("cell", "m3")
    fleet.ports["m1"] = silent
    began = time.monotonic()
    assert fleet.runtime().container("cell").id == "n3-cell"
    first, began = time.monotonic() - began, time.monotonic()
    assert fleet.runtime().container("cell").id == "n3-cell"
    assert 2 <= first < 2 + BOUND and time.monotonic() - began < 1


def test_a_frozen_manager_is_skipped_and_not_waited_for_again(fleet):
    fleet.place("cell", "m3")
    fleet.runtime()
    fleet.daemons["m1"].pause = 60
    for seconds in (2 + BOUND, 1):
        began = time.monotonic()
        assert fleet.runtime().container("cell").id == "n3-cell"
        assert time.monotonic() - began < seconds


def test_a_manager_of_a_minority_is_skipped(fleet):
    fleet.place("cell", "m3")
    fleet.daemons["m1"].manages = False
    assert fleet.runtime().container("cell").id == "n3-cell"


def test_without_a_manager_each_says_why(fleet, silent):
    fleet.ports["m1"] = silent
    fleet.daemons["m2"].pause = 60
    fleet.daemons["m3"].manages = False
    began = time.monotonic()
    with pytest.raises(Unreachable) as fault:
        fleet.runtime()
    assert time.monotonic() - began < 4 + BOUND
    message = str(fault.value)
    assert "no manager answers. Seen: machine m1: 127.0.0.1: no SSH on port" in message
    assert "machine m2: its Docker daemon does not answer: no answer in time" in message
    assert "machine m3: manages no Swarm now" in message and "machines.yml" in message


def test_a_machine_that_is_gone_is_told_in_bounded_time(fleet, silent):
    fleet.place("cell", "m3")
    fleet.ports["m3"] = silent
    runtime = fleet.runtime()
    for seconds in (2 + BOUND, 1):
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"service cell: machine m3: 127.0.0.1: no SSH .*Start the machine"):
            runtime.container("cell", wait=60)
        assert time.monotonic() - began < seconds


def test_a_frozen_daemon_is_told_in_bounded_time(fleet):
    fleet.place("cell", "m3")
    runtime = fleet.runtime(timeout=1)
    runtime.container("cell")
    fleet.daemons["m3"].pause = 60
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"machine m3: its Docker daemon does not answer: no answer in time"):
        runtime.run("cell", ["true"])
    assert time.monotonic() - began < 1 + BOUND


def test_a_connection_that_ends_is_made_anew(fleet):
    fleet.place("cell", "m3")
    runtime = fleet.runtime()
    runtime.container("cell")
    transport = next(link for (name, _), link in links._links.items() if name == "m3")._open[0].get_transport()
    fleet.connections["m3"][0].close()
    poll(transport.is_active, lambda active: not active, BOUND, "its end is seen here")
    assert runtime.run("cell", ["cat"], stdin="again", timeout=BOUND).out == "n3: again"
    assert len(fleet.connections["m3"]) == 2


def test_what_the_far_end_says_of_its_daemon_is_told(fleet, tmp_path):
    fleet.place("cell", "m3")
    (tmp_path / "m3.sock").unlink()
    with pytest.raises(Unreachable, match=r"machine m3: .*does not answer: cannot connect to .*m3.sock: .*journalctl"):
        fleet.runtime().container("cell")


def test_the_replica_of_a_machine_that_lives_is_reached(fleet, silent):
    fleet.place("app", "m2", "m3")
    fleet.ports["m2"] = silent
    assert fleet.runtime().container("app").id == "n3-app"


def test_what_is_not_healthy_is_told_with_what_could_not_be_seen(fleet, silent):
    fleet.place("app", "m2", "m3", health="starting")
    fleet.ports["m2"] = silent
    with pytest.raises(Unreachable, match=r"service app: seen: starting, machine m2: .*wanted: a healthy task"):
        fleet.runtime().container("app")
    with pytest.raises(Unreachable, match="service none: seen: no running task"):
        fleet.runtime().container("none")


def test_a_machine_with_another_key_is_not_spoken_to(fleet):
    fleet.place("cell", "m3")
    expected = ssh.public(pair()[1])
    actual = fleet.environment.machines[2].host_key
    fleet.environment.machines[2] = fleet.environment.machines[2].model_copy(update={"host_key": expected})
    with pytest.raises(Unreachable) as fault:
        fleet.runtime().run("cell", ["true"])
    assert f"seen: {actual}; wanted: {expected}" in str(fault.value) and "act=replace" in str(fault.value)
    assert fleet.daemons["m3"].requests == []


@pytest.mark.parametrize(
    ("node", "nodes", "says"),
    [
        ("n9", NODES, "machine m3: seen: node n9, which m1 does not know; wanted: a node of the Swarm that m1 manages"),
        ("", NODES, "machine m3: seen: Swarm inactive; wanted: a node of the Swarm"),
        ("n3", NODES | {"n3": "m2", "n2": "m3"}, r"machine m3: seen: node n3 with label asp.machine=m2; wanted: m3"),
        ("n3", NODES | {"n3": ""}, r"runs on a node with label asp.machine=\(none\); wanted: one of m1, m2, m3"),
        ("n3", NODES | {"n3": "m7"}, "runs on a node with label asp.machine=m7; wanted: one of m1, m2, m3"),
        ("n3", {"n1": "m1", "n2": "m2"}, "service cell: runs on node n3, which no manager knows"),
    ],
    ids=["another swarm", "no swarm", "another label", "no label", "no machine of ours", "unknown node"],
)
def test_a_node_that_is_not_the_registers_machine_is_refused(fleet, node, nodes, says):
    fleet.place("cell", "m3")
    if nodes.get("n3") == "m2":  # the Swarm would send us to m3 for what runs on m2's node
        fleet.place("cell", "m2")
    fleet.daemons["m3"].node = node
    for daemon in fleet.daemons.values():
        daemon.nodes = nodes
    with pytest.raises(Unreachable, match=f"{says}.*machines.yml, which says why"):
        fleet.runtime().run("cell", ["true"])
    assert not any(request.startswith("POST") for request in fleet.daemons["m3"].requests)


def test_a_manager_of_another_swarm_is_no_manager_of_this_one(fleet):
    fleet.place("cell", "m3")
    fleet.daemons["m1"].nodes = {"n1": ""}  # a Swarm of its own, without our labels
    fleet.daemons["m1"].tasks = {}
    assert fleet.runtime().container("cell").id == "n3-cell"


def test_everything_of_an_environment_is_asked_of_every_machine(fleet, silent):
    runtime = fleet.runtime()
    assert [client.info()["Swarm"]["NodeID"] for client in runtime.daemons()] == ["n1", "n2", "n3"]
    close_links()
    fleet.ports["m2"] = silent
    runtime = fleet.runtime()
    with pytest.raises(Unreachable, match="machine m2: 127.0.0.1: no SSH"):
        runtime.daemons()
    faults = runtime.machines.faults()
    assert faults.pop("m2").startswith("machine m2: 127.0.0.1: no SSH") and faults == {"m1": "", "m3": ""}


def test_a_volume_is_looked_for_where_its_service_runs_and_then_where_it_lies(fleet):
    fleet.place("backup", "m2")
    for machine in ("m1", "m2"):
        fleet.daemons[machine].volumes = ["repository"]
    fleet.daemons["m3"].volumes = ["idle"]
    for daemon in fleet.daemons.values():
        daemon.mounts = {"backup": ["repository"]}
    machines = fleet.runtime().machines

    def node(*volumes):
        return machines.holding(*volumes).info()["Swarm"]["NodeID"]

    assert (node("repository"), node("idle")) == ("n2", "n3")
    with pytest.raises(RuntimeFault, match="seen: repository on m2, idle on m3; wanted: all on one machine"):
        node("repository", "idle")
    with pytest.raises(Unreachable, match="volume none: seen: nowhere"):
        node("none")


def test_with_one_machine_nobody_is_asked_where_a_service_runs(monkeypatch):
    container = SimpleNamespace(attrs={"State": {"Health": {"Status": "healthy"}}})
    calls = []

    def containers(filters):
        calls.append(filters)
        return [container]

    client = SimpleNamespace(containers=SimpleNamespace(list=containers))  # anything else would be a fault
    monkeypatch.setattr(module, "connect", lambda timeout: calls.append(timeout) or client)
    environment = load("dev").environment
    assert environment.machines == [ONE_MACHINE]
    runtime = Runtime(SimpleNamespace(environment=environment), 7)
    assert runtime.container("cell") is container and runtime.client is client
    assert (
        runtime.daemons() == [client]
        and runtime.machines.faults() == {}
        and Machines(environment, 7).holding("any", "other") is client
    )
    assert calls == [7, {"label": "com.docker.swarm.service.name=cell"}, 7]


def test_a_forked_process_begins_with_connections_of_its_own(fleet):
    fleet.place("cell", "m3")
    fleet.runtime().container("cell")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if not links._links and fleet.runtime().container("cell").id == "n3-cell" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(fleet.connections["m3"]) == 2
    assert fleet.runtime().run("cell", ["cat"], stdin="", timeout=BOUND).code == 0, "the parent's goes on"
