"""Actions of the control node: arguments out of the documentation, plain values, told faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from centre.action import arguments, plain
from inventory import paths
from tests.support.modules import load_file

FILES = sorted([
    *(paths.ROOT / "playbooks" / "action_plugins").glob("*.py"),
    *(paths.ROOT / "roles").glob("*/action_plugins/*.py"),
])  # fmt: skip


def test_there_are_actions():
    assert len(FILES) >= 11


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_documentation_is_its_argument_specification(file):
    spec = arguments(load_file(file).DOCUMENTATION)
    assert spec["environment"] == {"type": "str", "required": True}
    assert "description" not in {key for option in spec.values() for key in option}
    told = ArgumentSpecValidator(spec).validate({"nonsense": 1}).error_messages
    assert any("missing required arguments" in message for message in told)
    assert any("nonsense" in message for message in told)


def test_values_lose_what_ansible_hangs_on_them():
    class Text(str):
        """A tagged text."""

    class Lazy(list):
        """A container whose items only iteration gives."""

        def __iter__(self):
            return iter([Text("given")])

    value = plain({Text("key"): Lazy(["not yet"]), "number": 1, "yes": True, "none": None, "part": 0.5})
    assert value == {"key": ["given"], "number": 1, "yes": True, "none": None, "part": 0.5}
    assert type(value["key"]) is list and type(value["key"][0]) is str and value["yes"] is True
    assert [type(key) for key in value] == [str] * 5


def test_a_fault_is_a_failed_task_that_says_what_was_seen_and_wanted(tmp_path):
    book = [{"hosts": "localhost", "gather_facts": False, "tasks": [
        {"tenant_state": {"environment": "nowhere", "municipalities": ["16054"], "verb": "join"}},
    ]}]  # fmt: skip
    (tmp_path / "book.json").write_text(json.dumps(book))
    environment = {
        **os.environ, "PYTHONPATH": str(paths.ROOT), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_ACTION_PLUGINS": str(paths.ROOT / "playbooks" / "action_plugins"),
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "book.json")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    # The fault's own words: of an exception that nobody told of, Ansible says "Task failed: …".
    assert '"msg": "inventory/environments/nowhere' in done.stdout
