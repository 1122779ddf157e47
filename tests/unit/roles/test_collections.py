"""The collections as people of Ansible expect them: ansible-doc shows everything, asp.endpoint installs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inventory import paths
from tests.support.roles import CENTRE, ENDPOINT

BIN = Path(sys.executable).parent
ON_MACHINES = {"swarm_member", "swarm_nodes"}  # modules: they run on the machine itself
SHOWN = {
    "module": {
        "asp.centre": 18,
        "asp.endpoint": 5,
    },
    "lookup": {"asp.centre": 3},
    "inventory": {"asp.centre": 1},
    "callback": {"asp.centre": 1},
    "connection": {"asp.centre": 1},
    "role": {"asp.endpoint": 3, "tenant_": 4, "machine_": 4},
}


def ansible(tool: str, *arguments: str, **environ: str) -> str:
    """What a tool of Ansible prints, away from the project's Python path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environ
    process = subprocess.run(
        [str(BIN / tool), *arguments], cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.mark.parametrize("kind", SHOWN)
def test_ansible_doc_shows_all_of_the_project(kind):
    config = {"ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg")}
    names = json.loads(ansible("ansible-doc", "-t", kind, "-l", "--json", **config))
    own = [name for name in names if name.startswith(("asp.", "tenant_", "machine_"))]
    assert {start: sum(name.startswith(start) for name in own) for start in SHOWN[kind]} == SHOWN[kind], own
    entries = json.loads(ansible("ansible-doc", "-t", kind, "--json", *own, **config))
    assert set(entries) == set(own)
    if kind != "role":
        for name, entry in entries.items():
            assert entry["doc"]["short_description"] and entry["doc"]["description"], name
            assert entry["examples"] or kind == "callback", f"{name} has no examples"


def test_every_action_has_its_documentation_beside_it():
    actions, modules = (
        {file.stem for file in (CENTRE / "plugins" / kind).glob("*.py")} for kind in ("action", "modules")
    )
    assert modules - actions == ON_MACHINES and actions <= modules and len(modules) == SHOWN["module"]["asp.centre"]


@pytest.mark.parametrize("collection", [CENTRE, ENDPOINT], ids=lambda folder: folder.name)
def test_a_collection_has_what_galaxy_asks_for(collection):
    galaxy = yaml.safe_load((collection / "galaxy.yml").read_text(encoding="utf-8"))
    assert (galaxy["namespace"], galaxy["name"]) == ("asp", collection.name)
    assert galaxy["license"] == ["EUPL-1.2"] and (collection / galaxy["readme"]).is_file()
    assert yaml.safe_load((collection / "meta" / "runtime.yml").read_text())["requires_ansible"] == ">=2.19.0"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """asp.endpoint built and installed into an empty folder; the environment in which nothing else is found."""
    folder = tmp_path_factory.mktemp("alone")
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(folder), "ANSIBLE_CONFIG": str(folder / "none.cfg"), "HOME": str(folder)}
    (folder / "none.cfg").write_text("")
    ansible("ansible-galaxy", "collection", "build", str(ENDPOINT), "--output-path", str(folder), **alone)
    (archive,) = folder.glob("asp-endpoint-*.tar.gz")
    ansible("ansible-galaxy", "collection", "install", "--offline", "-p", str(folder), str(archive), **alone)
    return folder, alone


def test_the_endpoint_collection_is_shown_where_it_is_installed_alone(installed):
    _, alone = installed
    modules = json.loads(ansible("ansible-doc", "-l", "--json", "asp.endpoint", **alone))
    assert len(modules) == 5
    assert set(json.loads(ansible("ansible-doc", "--json", *modules, **alone))) == set(modules)
    entries = json.loads(ansible("ansible-doc", "-t", "role", "-l", "--json", "asp.endpoint", **alone))
    assert len(entries) == 3


def test_a_module_and_a_role_run_where_the_collection_is_installed_alone(installed, tmp_path):
    folder, alone = installed
    hosts, policies = tmp_path / "hosts", tmp_path / "managed" / "asp.json"
    hosts.write_text("127.0.0.1\tlocalhost\n")
    ours = {"path": str(hosts), "hosts": ["a.test"], "address": "10.0.0.1", "name": "asp alone"}
    variables = {
        "endpoint_browser_files": {"chromium": str(policies)},
        "endpoint_browser_policies": {"chromium": {"SyncDisabled": True}},
    }
    book = [{"hosts": "localhost", "gather_facts": False, "tasks": [
        {"asp.endpoint.hosts": ours},
        # Validates the role's arguments and finds its module; to write it would take root's folders.
        {"ansible.builtin.include_role": {"name": "asp.endpoint.endpoint_browser"}, "vars": variables},
    ]}]  # fmt: skip
    (tmp_path / "book.json").write_text(json.dumps(book))
    interpreter = f"ansible_python_interpreter={sys.executable}"
    options = ["-c", "local", "-e", interpreter, "-e", "ansible_become=false"]
    book_file = str(tmp_path / "book.json")
    ansible("ansible-playbook", *options, "--check", book_file, **alone)
    assert "a.test" not in hosts.read_text() and not policies.exists()
    task = json.dumps(ours)
    for changed in ("true", "false"):
        output = ansible("ansible", "localhost", *options, "-m", "asp.endpoint.hosts", "-a", task, **alone)
        assert f'"changed": {changed}' in output
    assert hosts.read_text().endswith("# BEGIN asp alone\n10.0.0.1\ta.test\n# END asp alone\n")
    assert not list(folder.rglob("molecule")), "scenarios are not installed"
