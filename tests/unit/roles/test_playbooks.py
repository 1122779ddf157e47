"""Playbooks are read at three in the morning: names say what is done, every action has its full name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from inventory import paths
from tests.support.modules import documentation
from tests.support.roles import CENTRE, roles

PLAYBOOKS = sorted((paths.ROOT / "playbooks").glob("*.yml"))
FILES = [*PLAYBOOKS, *sorted((paths.ROOT / "playbooks" / "tasks").glob("*.yml")),
         *(role / "tasks" / "main.yml" for role in roles()),
         *(file for role in roles() for file in role.glob("handlers/main.yml"))]  # fmt: skip
VERBS = ["drill", "endpoints", "failover", "fill", "join", "leave", "machines", "publish", "refill", "restore",
         "restore_cell", "revoke"]  # fmt: skip
# What a task's name may begin with: verbs, in the imperative.
IMPERATIVE = {
    "Add", "Begin", "Bring", "Change", "Close", "End", "Enrol", "Exchange", "Export", "Forget", "Hand", "Invent",
    "Join", "Leave", "Load", "Look", "Make", "Merge", "Note", "Open", "Prepare", "Prove", "Refuse", "Remember",
    "Remove", "Report", "Require", "Restore", "Revoke", "Secure", "Start", "Take", "Tell", "Trust", "Verify", "Wait",
    "Write",
}  # fmt: skip
TASK_WORDS = {
    "name", "when", "vars", "loop", "loop_control", "register", "tags", "become", "run_once", "check_mode", "diff",
    "changed_when", "block", "rescue", "always", "notify", "listen", "delegate_to", "throttle", "until", "retries",
    "delay", "no_log", "failed_when", "ignore_unreachable",
}  # fmt: skip


def tasks(data: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in data:
        for key in ("pre_tasks", "tasks", "block", "rescue", "always", "handlers"):
            yield from tasks(item.get(key) or [])
        if "hosts" not in item:
            yield item


def load(file) -> list[dict[str, Any]]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def test_every_operators_verb_is_a_playbook():
    assert [file.stem for file in PLAYBOOKS] == VERBS
    # One verb, one name: join, leave and machines are made of roles, endpoints of another collection's.
    actions = {file.stem for file in (CENTRE / "plugins" / "action").glob("*.py")}
    assert set(VERBS) - actions == {"join", "leave", "endpoints", "machines"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(paths.ROOT)))
def test_tasks_say_what_they_do_and_name_their_action_in_full(file):
    every = list(tasks(load(file)))
    assert every
    for task in every:
        assert task["name"].split()[0] in IMPERATIVE, task["name"]
        names = set(task) - TASK_WORDS
        assert len(names) == (0 if "block" in task else 1), task
        for name in names:
            assert re.fullmatch(r"ansible\.builtin\.\w+|asp\.(centre|endpoint)\.\w+", name), name
            if name.startswith("asp.centre."):
                documented = yaml.safe_load(documentation(name.rpartition(".")[2]))["options"]
                assert set(task[name]) <= set(documented), f"{name}: {set(task[name]) - set(documented)}"


@pytest.mark.parametrize("file", PLAYBOOKS, ids=lambda file: file.stem)
def test_a_playbook_says_how_it_is_called_and_uses_no_internals(file):
    text = file.read_text(encoding="utf-8")
    (play,) = load(file)
    assert f"ansible-playbook playbooks/{file.name}" in text.split("- name:")[0]
    assert play["name"] and not re.search(r"\bin', vars\)|hostvars\[", text)


def test_a_fleet_is_walked_in_batches_and_stops_when_too_many_fail():
    (play,) = load(paths.ROOT / "playbooks" / "endpoints.yml")
    assert play["hosts"] == "workstations"
    assert play["vars"][play["serial"].strip("{} ")] == [1, "10%", "25%"], "one first"
    assert play["vars"][play["max_fail_percentage"].strip("{} ")] == 10
    assert all(role["tags"] for role in play["roles"])
