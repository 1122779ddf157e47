"""What the machine roles write: a firewall that opens what it is given, and no kernel setting in a container."""

from __future__ import annotations

import re

import jinja2
import pytest
import yaml

from inventory import paths

ROLES = paths.ROOT / "roles"


def render(role, template, **variables):
    """A template as Ansible renders it."""
    environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    environment.filters["intersect"] = lambda first, second: sorted(set(first) & set(second))
    return environment.from_string((ROLES / role / "templates" / template).read_text()).render(**variables)


def firewall(**changes):
    variables = {
        "machine_firewall_operators": ["10.1.0.0/24", "10.2.0.9/32"],
        "machine_firewall_machines": ["10.0.0.1", "10.0.0.2"],
        "machine_firewall_ports": [443, 80],
        "__machine_firewall_mark": "rules_0",
    }
    text = render("machine_firewall", "firewall.nft.j2", **variables | changes)
    return [line.partition("#")[0].strip() for line in text.splitlines() if line.partition("#")[0].strip()]


def accepted(lines):
    return [line for line in lines if line.endswith("accept")]


def test_nothing_is_let_in_but_what_is_named():
    lines = firewall()
    assert "type filter hook prerouting priority mangle; policy drop;" in lines, "before Docker translates addresses"
    assert accepted(lines) == [
        "ct state established,related accept",
        'iifname "lo" accept',
        "meta l4proto { 1, 58 } accept",
        'iifname { "docker0", "docker_gwbridge" } fib daddr type != local accept',
        'iifname "br-*" fib daddr type != local accept',
        "ip saddr @operators tcp dport 22 accept",
        "ip saddr @machines tcp dport { 2377, 7946 } accept",
        "ip saddr @machines udp dport { 4789, 7946 } accept",
        "fib daddr type local tcp dport { 443, 80 } accept",
    ]
    assert "elements = { 10.1.0.0/24, 10.2.0.9/32 }" in lines and "elements = { 10.0.0.1, 10.0.0.2 }" in lines


def test_a_machine_without_the_edge_publishes_nothing():
    assert not [line for line in accepted(firewall(machine_firewall_ports=[])) if "daddr type local" in line]


def test_containers_are_kept_from_other_machines_before_they_are_let_out():
    lines = firewall()
    drops = [index for index, line in enumerate(lines) if line.endswith("drop") and "@machines" in line]
    out = [index for index, line in enumerate(lines) if "fib daddr type != local accept" in line]
    assert len(drops) == len(out) == 2 and max(drops) < min(out)
    assert all("th dport { 22, 2377, 4789, 7946 }" in lines[index] for index in drops)


def test_only_our_own_table_is_replaced():
    lines = firewall()
    assert lines[:3] == ["table inet asp", "delete table inet asp", "table inet asp {"]
    assert not [line for line in lines if "flush" in line] and " ".join(lines).count("{") == " ".join(lines).count("}")


@pytest.mark.parametrize(("guest", "own"), [([], True), (["kvm"], True), (["docker", "container"], False)])
def test_a_container_leaves_its_hosts_kernel_alone(guest, own):
    text = render("machine_base", "sysctl.j2", ansible_facts={"virtualization_tech_guest": guest})
    keys = re.findall(r"^([a-z0-9_.]+) = ", text, re.M)
    assert ("kernel.panic" in keys) is own and "net.ipv4.ip_forward" in keys
    assert own or all(key.startswith("net.ipv4.") for key in keys)


def test_a_machine_keeps_the_time_of_the_servers_that_are_named():
    assert "server ntp.example.test iburst\n" in render(
        "machine_base", "time.sources.j2", machine_base_time_servers=["ntp.example.test"]
    )


def test_dockers_settings_are_there_before_its_package_starts_it():
    names = [task["name"] for task in yaml.safe_load((ROLES / "machine_docker" / "tasks" / "main.yml").read_text())]
    assert names.index("Write the daemon's settings") < names.index("Add Docker")
