"""What a play prints: one line for each task that changed or failed, the fault's own words, and a count at the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.roles import COLLECTIONS

BIN = Path(sys.executable).parent
SECONDS = re.compile(r" \(\d+\.\d s\)")
TOTAL = re.compile(r"(\d+ hosts?: ok=.*), \d+\.\d s")


@dataclass(frozen=True)
class Said:
    code: int
    lines: list[str]  # without seconds
    text: str
    summary: dict[str, Any]


@pytest.fixture
def output_of(tmp_path):
    """Runs tasks on this machine; what was printed."""

    def run(*tasks: dict[str, Any], options: tuple[str, ...] = (), hosts: str = "here,") -> Said:
        book, summary = tmp_path / "book.json", tmp_path / "summary.json"
        book.write_text(json.dumps([{"name": "A play", "hosts": "all", "gather_facts": False, "tasks": list(tasks)}]))
        environ = {
            **os.environ, "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_STDOUT_CALLBACK": "asp.centre.lines",
            "ASP_PLAY_SUMMARY": str(summary),
        }  # fmt: skip
        (tmp_path / "none.cfg").write_text("")
        command = [str(BIN / "ansible-playbook"), "-i", hosts, "-c", "local", *options, str(book)]
        interpreter = ["-e", f"ansible_python_interpreter={sys.executable}"]
        process = subprocess.run(
            [*command, *interpreter], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60
        )
        lines = [TOTAL.sub(r"\1", SECONDS.sub("", line)) for line in process.stdout.splitlines()]
        return Said(process.returncode, lines, process.stdout + process.stderr, json.loads(summary.read_text()))

    return run


def fail(name: str, message: str) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.fail": {"msg": message}}


def look(name: str = "Look") -> dict[str, Any]:
    return {"name": name, "ansible.builtin.assert": {"that": True, "quiet": True}}


def change(when: str = "true", that: str = "true") -> dict[str, Any]:
    """A task that changes as it says: a module would be a process of its own, which says the same to the callback."""
    return {"name": "Write", "ansible.builtin.assert": {"that": that, "quiet": True}, "changed_when": when}


def test_what_changes_is_a_line_and_what_does_not_is_silent(output_of):
    first, second = output_of(look(), change()), output_of(look(), change("false"))
    counts = "unreachable=0 failed=0 rescued=0"
    assert first.lines == ["A play", "changed     here  Write", f"1 host: ok=2 changed=1 {counts}"]
    assert second.lines == ["A play", f"1 host: ok=2 changed=0 {counts}"]
    assert (first.code, first.summary["changed"], second.summary["changed"]) == (0, 1, 0)


def test_a_fault_is_its_own_words_once(output_of):
    failed = output_of(fail("Require a name", "no name. Run it again with -e name=x"))
    assert failed.code == 2
    assert failed.lines[1] == "failed      here  Require a name: no name. Run it again with -e name=x"
    assert len(failed.lines) == 3 and "failed=1" in failed.lines[2]
    assert failed.text.count("no name.") == 1 and "Origin" not in failed.text and "Traceback" not in failed.text


def test_two_faults_are_a_line_each(output_of):
    failed = output_of(fail("Look", "one\ntwo"))
    assert failed.lines[1:3] == ["failed      here  Look: one", "            two"]


def test_a_traceback_comes_with_vvv_only(output_of):
    task = {"name": "Break", "ansible.builtin.debug": {"msg": "{{ nothing_of_this_name }}"}}
    quiet, loud = output_of(task), output_of(task, options=("-vvv",))
    assert len(quiet.lines) == 3 and "'nothing_of_this_name' is undefined" in quiet.lines[1]
    assert "Origin" not in quiet.text and "Origin" in loud.text


def test_each_item_is_a_line_of_its_own(output_of):
    task = {**change(that="item == 'a'"), "loop": ["a", "missing/b"]}
    failed = output_of(task)
    assert failed.lines[1] == "changed     here  Write (a)"
    assert failed.lines[2].startswith("failed      here  Write (missing/b): ") and len(failed.lines) == 4


def test_a_fault_with_a_rescue_leaves_the_word_to_it(output_of, tmp_path):
    (tmp_path / "inner.json").write_text(json.dumps([look(), fail("Do", "the reason")]))
    include = {"name": "Include", "ansible.builtin.include_tasks": str(tmp_path / "inner.json")}
    report = fail("Report", "it failed at {{ ansible_failed_task.name }}: {{ ansible_failed_result.msg }}")
    result = output_of({"name": "All", "block": [look(), include], "rescue": [report]})
    assert result.lines[1:3] == [
        "failed      here  Do: goes on with its rescue",
        "failed      here  Report: it failed at Do: the reason",
    ]
    assert "rescued=1" in result.lines[3] and result.text.count("the reason") == 1
    nested = output_of(
        {"name": "Outer", "block": [{"name": "Inner", "block": [look()], "rescue": [look()]}, fail("Do", "x")]}
    )
    assert nested.lines[1] == "failed      here  Do: x", "somebody else's rescue"


def test_what_a_play_tells_is_printed_as_it_is(output_of):
    result = output_of({"name": "Tell", "ansible.builtin.debug": {"msg": ["one", "two"]}},
                {"name": "Tell more", "ansible.builtin.debug": {"msg": "three"}})  # fmt: skip
    assert result.lines[1:4] == ["one", "two", "three"]


def test_check_mode_is_named_and_shows_differences(output_of, tmp_path):
    (tmp_path / "a").write_text("old\n")
    (tmp_path / "a").chmod(0o600)
    copy = {"dest": str(tmp_path / "a"), "content": "new\n", "mode": "0600"}
    result = output_of({"name": "Write", "ansible.builtin.copy": copy}, options=("--check", "--diff"))
    assert result.lines[0] == "A play (check mode)" and {"-old", "+new"} <= set(result.lines)
    assert (tmp_path / "a").read_text() == "old\n" and result.summary["changed"] == 1


def test_verbose_says_when_a_task_starts_and_that_it_found_nothing_to_do(output_of):
    result = output_of(look(), options=("-v",))
    assert result.lines[-3:-1] == ["started     Look", "ok          here  Look"]


def test_what_must_not_be_shown_is_not(output_of):
    result = output_of({**fail("Hide", "hunter2"), "no_log": True}, options=("-vv",))
    assert "hunter2" not in result.text and "hidden" in result.text


def test_a_host_that_does_not_answer_is_said(output_of):
    nowhere = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    ping = {"name": "Ping", "ansible.builtin.ping": {}}
    unreachable = output_of(look(), ping, options=("-e", json.dumps(nowhere)))
    assert unreachable.code != 0 and unreachable.summary["unreachable"] == 1
    assert unreachable.lines[1].startswith("unreachable here  Ping: ")


def test_the_summary_is_for_programs(output_of, tmp_path):
    stats = {"name": "Set", "ansible.builtin.set_stats": {"data": {"towns": 3}}, "run_once": True}
    result = output_of(stats, change(), hosts="a,b,")
    none = dict.fromkeys(["failures", "unreachable", "skipped", "rescued", "ignored"], 0)
    assert result.summary == {
        "changed": 2,
        "failed": 0,
        "unreachable": 0,
        "stats": {"towns": 3},
        "hosts": {
            "a": {"ok": 2, "changed": 1} | none,
            "b": {"ok": 1, "changed": 1} | none,
        },
    }
    assert "towns: 3" in result.lines and "2 hosts: ok=3 changed=2" in result.lines[-1]
    assert not list(tmp_path.glob("*.new"))
