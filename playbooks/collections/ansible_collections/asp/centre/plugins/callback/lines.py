"""Standard output of plays: one line for each task that changed or failed, one for each fault, one at the end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.executor.stats import AggregateStats
from ansible.executor.task_result import CallbackTaskResult
from ansible.inventory.host import Host
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: lines
type: stdout
short_description: One line for each task that changed or failed
description:
  - A task that finds nothing to do is silent. A fault is its message, a line each; a traceback comes with C(-vvv) only.
    What C(ansible.builtin.debug) says is printed as it is, C(--diff) shows its differences, and the last line counts.
  - C(-v) adds a line when a task starts and one when it had nothing to do; C(-vv) what tasks returned.
author: [ASP operations]
extends_documentation_fragment:
  - result_format_callback
options:
  summary_file:
    description:
      - File that is written when the play has ended, as JSON for programs. C(changed), C(failed) and C(unreachable) are
        numbers of tasks over all hosts, C(hosts) the counts of each host, C(stats) what C(ansible.builtin.set_stats)
        set.
    type: path
    env: [{name: ASP_PLAY_SUMMARY}]
requirements: [set as stdout_callback in ansible.cfg]
"""

WIDTH = 11  # of the first column: the longest is "unreachable"


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "asp.centre.lines"

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._started: dict[tuple[str, str], float] = {}  # (host, task) → when

    def v2_playbook_on_play_start(self, play: Play) -> None:
        self._display.display(play.get_name().strip() + (" (check mode)" if play.check_mode else ""))

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        self._display.v(f"{'started':<{WIDTH}} {task.get_name().strip()}")

    def v2_playbook_on_handler_task_start(self, task: Task) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_start(self, host: Host, task: Task) -> None:
        self._started[host.get_name(), task._uuid] = time.monotonic()

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._display.display("no hosts matched", color=constants.COLOR_SKIP)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._display.display("no hosts left to go on with", color=constants.COLOR_ERROR)

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        if isinstance(result.task, TaskInclude) or _has_items(result):
            return
        self._ok(result)

    def v2_runner_item_on_ok(self, result: CallbackTaskResult) -> None:
        if not isinstance(result.task, TaskInclude):
            self._ok(result)

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        self._handle_warnings(result.result)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        if not _has_items(result):
            self._failed(result, ignore_errors)

    def v2_runner_item_on_failed(self, result: CallbackTaskResult) -> None:
        self._failed(result, bool(result.task.ignore_errors))

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        self._line("unreachable", result, _message(result.result), constants.COLOR_UNREACHABLE)

    def v2_on_file_diff(self, result: CallbackTaskResult) -> None:
        results = result.result["results"] if _has_items(result) else [result.result]
        for item in results:
            if item.get("changed") and item.get("diff") and (text := self._get_diff(item["diff"])):
                self._display.display(text.rstrip("\n"))

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        total = {
            name: sum(counts[name] for counts in hosts.values())
            for name in ("ok", "changed", "unreachable", "failures", "skipped", "rescued")
        }
        total["failed"] = total.pop("failures")
        custom = stats.custom.get("_run", {})
        for name, value in sorted(custom.items()):
            self._display.display(f"{name}: {value}")
        counts = " ".join(f"{name}={total[name]}" for name in ("ok", "changed", "unreachable", "failed", "rescued"))
        seconds = time.monotonic() - self._began
        bad = total["failed"] or total["unreachable"]
        self._display.display(
            f"{len(hosts)} {'host' if len(hosts) == 1 else 'hosts'}: {counts}, {seconds:.1f} s",
            color=constants.COLOR_ERROR if bad else constants.COLOR_CHANGED if total["changed"] else constants.COLOR_OK,
        )
        if file := self.get_option("summary_file"):
            summary = {name: total[name] for name in ("changed", "failed", "unreachable")}
            _write(file, json.dumps(summary | {"hosts": hosts, "stats": custom}, default=str, sort_keys=True) + "\n")

    def _ok(self, result: CallbackTaskResult) -> None:
        self._handle_warnings(result.result)
        if result.task.action in constants._ACTION_DEBUG:
            self._say(result)
        elif result.result.get("changed"):
            self._line("changed", result, "", constants.COLOR_CHANGED)
        elif self._display.verbosity:
            self._line("ok", result, "", constants.COLOR_OK)

    def _failed(self, result: CallbackTaskResult, ignored: bool) -> None:
        self._handle_warnings(result.result)
        if self._display.verbosity >= 3:
            self._handle_exception(result.result)
        if ignored:
            self._line("ignored", result, _message(result.result), constants.COLOR_WARN)
        elif _is_rescued(result.task):  # the rescue says it all, once
            self._line("failed", result, "goes on with its rescue", constants.COLOR_WARN)
        else:
            self._line("failed", result, _message(result.result), constants.COLOR_ERROR)

    def _say(self, result: CallbackTaskResult) -> None:
        self._clean_results(result.result, result.task.action)
        message = result.result.get("msg")
        if message is None:
            self._display.display(self._dump_results(result.result))
        for line in message if isinstance(message, list) else [message] if message is not None else []:
            self._display.display(str(line))

    def _line(self, status: str, result: CallbackTaskResult, message: str, color: str) -> None:
        """`message`: each of its lines is a fault of its own."""
        name, label = result.task_name.strip(), self._get_item_label(result.result)
        if result.task.loop and label is not None:
            name += f" ({label})"
        host = self.host_label(result)
        began = self._started.get((result.host.get_name(), result.task._uuid))
        seconds = f" ({time.monotonic() - began:.1f} s)" if began else ""
        for number, fault in enumerate(message.splitlines() or [""]):
            head = f"{status:<{WIDTH}} {host}  {name}" if not number else " " * WIDTH
            tail = f": {fault.strip()}" if fault and not number else fault.strip() if fault else seconds
            self._display.display(f"{head}{tail}" if not number else f"{head} {tail}", color=color)
        if self._display.verbosity >= 2:
            self._display.display(self._dump_results(result.result), color=color)


def _has_items(result: CallbackTaskResult) -> bool:
    """Whether each item of the task's loop was reported by itself."""
    return bool(result.task.loop) and "results" in result.result


def _message(result: Mapping[str, Any]) -> str:
    """What a failed task says, without what surrounds it."""
    for key in ("msg", "module_stderr", "stderr", "censored"):
        if text := str(result.get(key) or "").strip():
            return text
    return "failed without a word; run it again with -vvv"


def _is_rescued(task: Task) -> bool:
    """Whether the task stands in a block, or in what is included there, that has a rescue."""
    child, parent = task, task._parent
    while parent is not None:
        if isinstance(parent, Block) and parent.rescue and any(child._uuid == item._uuid for item in parent.block):
            return True
        child, parent = parent, parent._parent
    return False


def _write(file: str, text: str) -> None:
    """Whole or not at all."""
    temporary = f"{file}.new"
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, file)
