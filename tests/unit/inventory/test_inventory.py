"""Ansible's inventory is the register's: hosts, groups, variables, and its refusals."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inventory import hosts, paths, register
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


def test_every_variable_is_documented_and_read_by_a_playbook(listing):
    readme = (paths.ROOT / "roles" / "README.md").read_text()
    plays = "".join(file.read_text() for file in sorted((paths.ROOT / "playbooks").glob("*.yml")))
    names = {name for host in listing["_meta"]["hostvars"].values() for name in host if name.startswith("asp_")}
    assert len(names) > 10
    for name in names:
        assert f"`{name}`" in readme, f"roles/README.md does not name {name}"
        assert re.search(rf"\b{name}\b", plays), f"no playbook reads {name}"


def test_faults_of_the_register_stop_ansible():
    result = ansible_inventory("nowhere", "--list")
    assert result.returncode != 0
    assert "environment = 'nowhere': no such environment. Known: dev" in result.stderr
    assert "Traceback" not in result.stderr


def test_many_hosts_are_derived_once(tmp_path):
    derived = hosts.hosts(Copy(tmp_path).load())
    assert [host.name for host in derived] == ["centre", "malyinka-1", "sajoszentpeter-1"]
    assert derived[1].groups == ["workstations", "office_14915"]
