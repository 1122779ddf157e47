"""Ansible action: refuse a machine whose clock is wrong."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


def ahead(before: float, there: float, after: float) -> float:
    """The least by which a clock that said `there` is ahead of ours, read before and after; behind: below zero."""
    return there - after if there > after else min(0.0, there - before)


class ActionModule(ActionBase):
    _requires_connection = True
    _VALID_ARGS = frozenset({"skew"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec({"skew": {"type": "float", "required": True}})
        before = time.time()
        answer = self._low_level_execute_command("date +%s.%N", sudoable=False)
        after = time.time()
        try:
            seconds = ahead(before, float(answer["stdout"].strip()), after)
        except ValueError as error:
            raise AnsibleActionFail(f"clock: `date` answered {answer['stdout']!r} {answer['stderr']!r}") from error
        if abs(seconds) > arguments["skew"]:
            raise AnsibleActionFail(
                f"clock: seen {seconds:+.1f} s beside this computer's; wanted at most {arguments['skew']:g} s either "
                f"way. Find out which of the two is wrong and set it, as date -u -s @{int(after)}"
            )
        return result | {"changed": False, "ahead": round(seconds, 3)}
