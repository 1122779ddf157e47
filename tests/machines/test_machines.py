"""playbooks/machines.yml on three machines just installed: what it brings about, what it refuses, what it takes out."""

from __future__ import annotations

import json

import pytest

from inventory import daemon
from tests.machines.fleet import OPERATOR
from tests.support.polling import poll

MACHINES = ["m1", "m2", "m3"]
each = pytest.mark.parametrize("machine", MACHINES)
SECONDS = 120
SERVER = ["python3", "-m", "http.server", "8080"]


def test_check_mode_tells_what_would_change_and_touches_nothing(prepared):
    assert prepared.check.code == 0 and prepared.check.changed > 30, prepared.check.text[-3000:]
    assert "changed     m1  Begin the Swarm" in prepared.check.text
    assert prepared.untouched == dict.fromkeys(MACHINES, True)


def test_one_run_prepares_them_and_the_next_changes_nothing(prepared):
    assert prepared.first.code == 0 and prepared.first.changed > 30, prepared.first.text[-3000:]
    assert (prepared.second.code, prepared.second.changed) == (0, 0), prepared.second.text[-3000:]
    assert (prepared.check_again.code, prepared.check_again.changed) == (0, 0), prepared.check_again.text[-3000:]


def test_it_says_that_nothing_restarts_a_machine_that_hangs(prepared):
    assert all(
        f"{machine}: no watchdog (a container has none of its own)" in prepared.first.text for machine in MACHINES
    )


@each
def test_docker_runs_with_the_registers_settings(machines, prepared, machine):
    host = machines.host(machine)
    assert json.loads(host.file("/etc/docker/daemon.json").content_string) == daemon.settings()
    assert host.service("docker").is_running and host.service("docker").is_enabled
    info = json.loads(machines.run(machine, "docker", "info", "--format", "{{json .}}"))
    assert (info["LiveRestoreEnabled"], info["LoggingDriver"]) == (False, daemon.LOG_DRIVER)
    assert info["DefaultAddressPools"][0] == {"Base": "172.18.0.0/15", "Size": 16}


@each
def test_only_security_updates_come_by_themselves_and_none_of_docker(machines, prepared, machine):
    settings = machines.run(machine, "apt-config", "dump")
    assert settings.count("Unattended-Upgrade::Origins-Pattern::") == 1
    assert 'Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security"' in settings
    assert 'Unattended-Upgrade::Package-Blacklist:: "^docker"' in settings and 'Automatic-Reboot "false"' in settings
    assert 'APT::Periodic::Unattended-Upgrade "1"' in settings
    assert machines.host(machine).service("apt-daily-upgrade.timer").is_enabled


@each
def test_the_kernel_forwards_and_believes_no_redirect(machines, prepared, machine):
    host = machines.host(machine)
    assert host.sysctl("net.ipv4.ip_forward") == 1 and host.sysctl("net.ipv4.conf.all.accept_redirects") == 0
    assert host.file("/etc/systemd/journald.conf.d/asp.conf").contains("SystemMaxUse=1G")
    assert host.package("chrony").is_installed


@each
def test_the_node_carries_the_registers_labels(machines, prepared, machine):
    node = machines.nodes()[machine]
    expected = next(m for m in machines.register.environment.machines if m.id == machine)
    assert (node["Spec"]["Labels"], node["Spec"]["Role"]) == (expected.labels, "manager")
    assert (node["Spec"]["Availability"], node["Status"]["State"]) == ("active", "ready")
    assert node["ManagerStatus"]["Addr"] == f"{expected.address}:2377"


@each
def test_the_firewall_lets_in_whom_the_register_names(machines, prepared, machine):
    address = machines.address(machine)
    other = next(name for name in MACHINES if name != machine)
    assert machines.reaches(address, 22) and not machines.reaches(address, 22, other)
    for port in (2377, 7946):
        assert machines.reaches(address, port, other), f"{other} does not reach {port} of {machine}"
        assert not machines.reaches(address, port), f"{OPERATOR} reaches {port} of {machine}"
    host = machines.host(machine)
    assert host.service("asp-firewall").is_enabled and not host.service("nftables").is_enabled
    assert "table ip nat" in machines.run(machine, "nft", "list", "tables"), "Docker's own rules are there"


@pytest.fixture(scope="session")
def services(machines, prepared):
    """A service on every machine at the edge's port, and one at a port that no register names."""
    for machine in MACHINES:
        command = "tar -C / -c bin sbin lib lib64 usr/bin usr/lib usr/lib64 etc 2>/dev/null | docker import - mini:1"
        machines.run(machine, "sh", "-c", command)
    machines.run("m1", "docker", "network", "create", "--driver", "overlay", "across")
    port = machines.register.environment.ports.https
    for name, published, mode in (("web", port, ["--mode", "global"]), ("other", 8081, ["--replicas", "1"])):
        machines.run(
            "m1", "docker", "service", "create", "--quiet", "--detach", "--no-resolve-image", "--name", name,
            "--endpoint-mode", "dnsrr", "--network", "across", *mode,
            "--publish", f"mode=host,target=8080,published={published}", "mini:1", *SERVER,
        )  # fmt: skip
    running(machines, "web", MACHINES)
    yield
    machines.run("m1", "docker", "service", "rm", "web", "other")


def running(machines, service, where):
    listing = ["docker", "service", "ps", service, "--filter", "desired-state=running", "--format"]

    def tasks():
        lines = machines.run("m1", *listing, "{{.Node}} {{.CurrentState}}").splitlines()
        return sorted(line.split()[0] for line in lines if line.split()[1] == "Running")

    poll(tasks, lambda machines_of: machines_of == sorted(where), SECONDS, f"{service} runs on {where}")


def test_published_ports_are_open_at_the_edge_alone(machines, services):
    port = machines.register.environment.ports.https
    seen_open = {machine: machines.reaches(machines.address(machine), port) for machine in MACHINES}
    assert seen_open == {"m1": True, "m2": True, "m3": False}
    assert not any(machines.reaches(machines.address(machine), 8081) for machine in MACHINES)


def test_containers_reach_each_other_across_machines_and_no_port_of_a_machine(machines, services):
    container = machines.run("m1", "docker", "ps", "--quiet", "--filter", "name=web").split()[0]
    addresses = [machines.address(machine) for machine in MACHINES]
    code = f"""
import socket
def reaches(address, port):
    try:
        socket.create_connection((address, port), 2).close()
    except OSError:
        return False
    return True
peers = sorted({{entry[4][0] for entry in socket.getaddrinfo("tasks.web", 8080)}} | {{socket.gethostbyname("other")}})
print(len(peers), all(reaches(peer, 8080) for peer in peers))
print([(a, p) for a in {addresses!r} for p in (22, 2377, 7946) if reaches(a, p)])
"""
    answer = machines.run("m1", "docker", "exec", container, "python3", "-c", code).splitlines()
    assert answer == ["4 True", "[]"]


def test_a_machine_with_another_key_is_not_spoken_to(machines, prepared):
    other = next(m.host_key for m in machines.register.environment.machines if m.id == "m2")
    play = machines.play("--limit", "m1", "-e", json.dumps({"ansible_pinned_host_key": other}))
    assert play.code != 0 and play.changed == 0
    assert "another host key than the register's; seen: ssh-ed25519" in play.text and f"wanted: {other}" in play.text


def test_a_machine_too_small_is_refused_with_what_it_has(machines, prepared):
    size = {"memory": 10**7, "processors": 1, "disk": 12}
    play = machines.play("--limit", "m1", "-e", json.dumps({"asp_machine_capacity": size}))
    assert play.code != 0 and play.changed == 0
    assert "too small: seen" in play.text and "wanted 10000000 MiB, 1, 12 GiB. Enlarge the machine" in play.text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"act": "stop"}, "act: seen stop; wanted prepare, drain, replace or remove"),
        ({"act": "drain"}, "machine: seen (none); wanted one of m1, m2, m3"),
        ({"act": "drain", "machine": "m7"}, "machine: seen m7; wanted one of m1, m2, m3"),
        ({"act": "drain", "machine": "m2"}, "nothing was touched: every task on m2 would end"),
        ({"act": "remove", "machine": "m2", "confirm": "m2"}, "m2: the register counts on it. Write leaving: true"),
        ({"act": "replace", "machine": "m2", "confirm": "m2"}, None),
    ],
)
def test_what_takes_a_machine_out_is_asked_twice(machines, prepared, options, says):
    play = machines.play("-e", json.dumps(options))
    if says is None:  # it lives, so there is nothing to replace
        assert (play.code, play.changed) == (0, 0), play.text[-3000:]
    else:
        assert play.code != 0 and play.changed == 0 and says in play.text, play.text[-3000:]


def act(machines, name, machine, **variables):
    options = {"act": name, "machine": machine, "confirm": machine, **variables}
    return machines.play("-e", json.dumps(options))


def test_a_drained_machine_runs_nothing_until_it_is_prepared_again(machines, services):
    drained = act(machines, "drain", "m2")
    assert drained.code == 0 and drained.changed == 1, drained.text[-3000:]
    assert machines.nodes()["m2"]["Spec"]["Availability"] == "drain"
    assert machines.run("m2", "docker", "ps", "--quiet") == ""
    assert act(machines, "drain", "m2").changed == 0
    assert machines.play().code == 0
    running(machines, "web", MACHINES)


def test_a_machine_that_died_is_replaced_and_then_removed(machines, services):
    """After each other: a Swarm of three managers bears one loss at a time."""
    former = machines.nodes()["m3"]["ID"]
    machines.install("m3")  # its disk is new, and so is its key
    poll(lambda: machines.nodes()["m3"]["Status"]["State"], lambda state: state == "down", SECONDS, "m3 is missed")
    refused = machines.play()
    assert refused.code != 0 and f"machine m3 has been node {former} (down)" in refused.text
    assert "Run it with -e act=replace -e machine=m3 -e confirm=m3" in refused.text
    replaced = act(machines, "replace", "m3")
    assert replaced.code == 0, replaced.text[-3000:]
    nodes = machines.nodes()
    assert sorted(nodes) == MACHINES and nodes["m3"]["ID"] != former
    assert nodes["m3"]["ManagerStatus"]["Reachability"] == "reachable"
    assert (machines.play().changed, act(machines, "replace", "m3").changed) == (0, 0)
    removed = act(machines, "remove", "m3", asp_machine_leavers=["m3"])
    assert removed.code == 0, removed.text[-3000:]
    assert sorted(machines.nodes()) == ["m1", "m2"]
    assert (
        json.loads(machines.run("m3", "docker", "info", "--format", "{{json .Swarm}}"))["LocalNodeState"] == "inactive"
    )
    assert machines.play().code == 0 and sorted(machines.nodes()) == MACHINES


def test_a_machine_that_starts_anew_is_closed_and_back(machines, prepared):
    machines.containers["m2"].restart(timeout=20)
    machines.await_ssh("m2")
    state = {"Status": {"State": "unknown"}}
    poll(
        lambda: machines.nodes().get("m2", state)["Status"]["State"],
        lambda name: name == "ready",
        SECONDS,
        "m2 is back",
    )
    assert not machines.reaches(machines.address("m2"), 2377) and machines.reaches(machines.address("m2"), 2377, "m1")
