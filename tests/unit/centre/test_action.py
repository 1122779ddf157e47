"""Actions of the control node: arguments out of the documentation, plain values, faults as messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from centre.action import arguments, plain
from inventory import paths
from tests.support.modules import action
from tests.support.roles import CENTRE, COLLECTIONS

# All but the one that is about a machine, which has no environment.
ACTIONS = sorted({file.stem for file in (CENTRE / "plugins" / "action").glob("*.py")} - {"clock"})


def test_there_are_actions():
    assert len(ACTIONS) == 15


@pytest.mark.parametrize("name", ACTIONS)
def test_its_documentation_is_its_argument_specification(name):
    module = action(name)
    assert f"module: {name}\n" in module.DOCUMENTATION, "its own, not another's"
    assert module.ActionModule.documentation is module.DOCUMENTATION
    specification = arguments(module.DOCUMENTATION)
    assert specification["asp_environment"] == {"type": "str", "required": True}
    assert "environment" not in specification, "that is Ansible's own word"
    keys = {key for option in specification.values() for key in option}
    assert keys <= {"type", "elements", "choices", "default", "required"}, "a comma in braces ends a description"
    assert all(option["description"] for option in yaml.safe_load(module.DOCUMENTATION)["options"].values())
    messages = ArgumentSpecValidator(specification).validate({"nonsense": 1}).error_messages
    assert any("missing required arguments" in message for message in messages)
    assert any("nonsense" in message for message in messages)


def test_options_within_options_are_arguments_too():
    options = (
        "options: {a: {type: list, elements: dict, description: A., suboptions: {b: {type: str, description: B.}}}}"
    )
    assert arguments(options) == {"a": {"type": "list", "elements": "dict", "options": {"b": {"type": "str"}}}}


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
    task = {"asp.centre.tenant_state": {"asp_environment": "nowhere", "municipalities": ["16054"], "verb": "join"}}
    book = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "book.json").write_text(json.dumps(book))
    environment = {
        **os.environ, "PYTHONPATH": str(paths.ROOT), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "book.json")]
    process = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    # The fault's own words: of an exception that no action expects, Ansible says "Task failed: …".
    assert '"msg": "inventory/environments/nowhere' in process.stdout, process.stdout + process.stderr
