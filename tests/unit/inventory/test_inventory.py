"""Ansible's inventory is the register's: hosts, groups, variables, and its refusals."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inventory import addresses, daemon, hosts, paths, register
from tests.unit.inventory.register_copy import Copy


def ansible_inventory(env: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).with_name("ansible-inventory")), *arguments]
    environ = {**os.environ, "ASP_ENV": env, "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg")}
    return subprocess.run(command, cwd=paths.ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)


def plain(value):
    """Without the marks that Ansible puts around text from an inventory."""
    if isinstance(value, dict):
        return value["__ansible_unsafe"] if "__ansible_unsafe" in value else {k: plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def listing():
    result = ansible_inventory("test", "--list")
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    return plain(json.loads(result.stdout))


def test_hosts_and_groups(listing):
    assert set(listing["_meta"]["hostvars"]) == {"centre", "malyinka-1", "sajoszentpeter-1"}
    assert sorted(listing["workstations"]["hosts"]) == ["malyinka-1", "sajoszentpeter-1"]
    assert listing["office_14915"]["hosts"] == ["malyinka-1"]


def test_centre(listing):
    centre = listing["_meta"]["hostvars"]["centre"]
    assert centre["ansible_connection"] == "local" and centre["asp_env"] == "test"
    assert Path(centre["ansible_python_interpreter"]).samefile(sys.executable)
    assert centre["asp_joined"] == ["14784", "14915", "16054", "25159"]  # Nagybarca is in preparation there


def test_workstation_of_a_joint_office(listing):
    station = listing["_meta"]["hostvars"]["malyinka-1"]
    environment = register.load("test").environment
    assert (station["ansible_host"], station["ansible_port"]) == ("127.0.0.1", environment.ports.ssh_base + 2)
    assert station["ansible_user"] == "asp-admin" and "StrictHostKeyChecking=yes" in station["ansible_ssh_common_args"]
    assert station["asp_clerk"] == "proba.kozos"
    # The seat first, and joined ones only.
    assert [tenant["ksh"] for tenant in station["asp_tenants"]] == ["14915", "14784", "25159"]
    assert station["asp_tenants"][0] == {"ksh": "14915", "tenant": "t14915", "organization": "Mályinka"}
    assert station["asp_hosts"][0] == "malyinka.asp.test"
    assert station["asp_hosts"][-2:] == [environment.identity_host, environment.pki_host]
    assert set(station["asp_policies"]) == set(station["asp_paths"]["policies"]) == {"chromium", "firefox"}


def test_no_secret_is_a_variable(listing):
    text = json.dumps(listing).lower().replace("passwordmanagerenabled", "")  # a browser's policy
    assert "password" not in text and "private key-----" not in text and "secret" not in text


def test_every_variable_is_documented_and_read_by_a_playbook(listing, several):
    readme = (paths.ROOT / "roles" / "README.md").read_text()
    plays = "".join(file.read_text() for file in sorted((paths.ROOT / "playbooks").glob("*.yml")))
    every = [*listing["_meta"]["hostvars"].values(), *several["_meta"]["hostvars"].values()]
    names = {name for host in every for name in host if name.startswith("asp_")}
    assert len(names) > 20
    for name in names:
        assert f"`{name}`" in readme, f"roles/README.md does not name {name}"
        assert re.search(rf"\b{name}\b", plays), f"no playbook reads {name}"


@pytest.fixture(scope="module")
def several():
    result = ansible_inventory("three", "--list")
    assert result.returncode == 0 and "WARNING" not in result.stderr, result.stderr
    return plain(json.loads(result.stdout))


def test_machines_are_hosts_where_there_are_several(several, listing):
    assert several["machines"]["hosts"] == ["m1", "m2", "m3"] and "hosts" not in listing.get("machines", {})
    environment = register.load("three").environment
    machine = several["_meta"]["hostvars"]["m3"]
    assert (machine["ansible_host"], machine["ansible_connection"]) == ("10.199.0.13", "asp.centre.pinned")
    assert machine["ansible_pinned_host_key"] == environment.machines[2].host_key
    assert (machine["asp_machine_manager"], machine["asp_machine_leaving"]) == (True, False)
    assert machine["asp_machine_labels"] == environment.machines[2].labels
    assert machine["asp_machine_capacity"] == {"memory": 16384, "processors": 4, "disk": 200}
    assert machine["asp_machine_addresses"] == ["10.199.0.11", "10.199.0.12", "10.199.0.13"]
    assert (machine["asp_machine_founder"], machine["asp_machine_leavers"]) == ("m1", [])
    assert machine["asp_operator_networks"] == ["10.199.0.0/24"] and machine["asp_time_servers"] == []


def test_ports_are_published_at_the_edge_alone(several):
    ports = {name: several["_meta"]["hostvars"][name]["asp_machine_ports"] for name in ("m1", "m2", "m3")}
    assert ports == {"m1": [40443, 40080], "m2": [40443, 40080], "m3": []}


def test_a_daemons_pools_are_those_that_the_rules_keep_clear_of():
    settings = daemon.settings()
    pools = {settings["bip"].replace(".1/", ".0/"), *(pool["base"] for pool in settings["default-address-pools"])}
    assert pools == set(addresses.DOCKERS_OWN) - {"10.0.0.0/16"}
    assert [pool["size"] for pool in settings["default-address-pools"]] == [16, 16, 16, 20]
    assert settings["live-restore"] is False and (settings["log-driver"], settings["log-opts"]["max-size"]) == (
        "local", "20m"
    )  # fmt: skip


def test_faults_of_the_register_stop_ansible():
    result = ansible_inventory("nowhere", "--list")
    assert result.returncode != 0
    assert "environment = 'nowhere': no such environment. Known: dev" in result.stderr
    assert "Traceback" not in result.stderr


def test_many_hosts_are_derived_once(tmp_path):
    derived = hosts.hosts(Copy(tmp_path).load())
    assert [host.name for host in derived] == ["centre", "malyinka-1", "sajoszentpeter-1"]
    assert derived[1].groups == ["workstations", "office_14915"]
