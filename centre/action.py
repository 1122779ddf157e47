"""Ansible actions of the control node: what `playbooks/action_plugins` and the `tenant_*` roles have in common.

An action runs inside ansible-playbook, which has imported the project once. A module would be packed, started by itself
and import everything anew for each task: 2 s of which nothing comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import yaml
from ansible.plugins.action import ActionBase

from centre.reach.runtime import RuntimeFault
from inventory.errors import RegisterError
from inventory.models import Municipality
from inventory.register import Register, load


class CentreAction(ActionBase):
    """Checks the arguments against `documentation`, works, and tells faults as a failed task's message.

    `work(arguments, check_mode)` gives the task's result; without `changed` nothing was. `faults`: what people can
    mend, beside what is wrong with the register or a service.
    """

    documentation: ClassVar[str]
    work: ClassVar[Callable[[dict[str, Any], bool], dict[str, Any]]]
    faults: ClassVar[tuple[type[Exception], ...]] = ()
    required_if: ClassVar[tuple[tuple, ...]] = ()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(arguments(self.documentation), required_if=self.required_if)
        try:
            return {"changed": False} | type(self).work(plain(given), bool(self._task.check_mode))
        except (RegisterError, RuntimeFault, *self.faults) as error:
            return {"failed": True, "changed": False, "msg": str(error)}


def arguments(documentation: str) -> dict[str, dict]:
    """The argument specification that an action's documentation describes."""
    options = yaml.safe_load(documentation)["options"]
    return {name: {key: option[key] for key in option if key != "description"} for name, option in options.items()}


def asked(params: Mapping[str, Any]) -> tuple[Register, list[Municipality]]:
    """The register of `environment`, and in it each of `municipalities` once. RegisterError for an unknown one."""
    register = load(params["environment"])
    return register, [register.municipality(ksh) for ksh in dict.fromkeys(params["municipalities"])]


def plain(value: Any) -> Any:
    """A value without Ansible's tags and lazy containers: what reads the tags or writes YAML knows only plain ones."""
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if isinstance(value, int) else float(value)
    return value
