"""What the actions of the collection `asp.centre` have in common.

An action runs inside ansible-playbook, which has imported the project once. A module would be packed, started by itself
and import everything anew for each task: 2 s of which nothing comes (ADR 0028).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import yaml
from ansible.plugins.action import ActionBase

from centre.reach.runtime import RuntimeFault
from inventory.errors import RegisterError
from inventory.models import Municipality
from inventory.register import Register, load

Params = dict[str, Any]  # an action's arguments, checked, with defaults
Result = dict[str, Any]


class CentreAction(ActionBase):  # type: ignore[misc]  # Ansible is not typed
    """Checks the arguments against `documentation`, works, and turns faults into a failed task's message.

    `documentation`: that of the module file of the same name, which `ansible-doc` and ansible-lint read.
    `work(params, check)` gives the task's result; without `changed` nothing was changed. `faults`: what people
    can put right, beside what is wrong with the register or a service.
    """

    documentation: ClassVar[str]
    faults: ClassVar[tuple[type[Exception], ...]] = ()
    required_if: ClassVar[tuple[tuple[Any, ...], ...]] = ()

    @staticmethod
    def work(params: Params, check: bool) -> Result:
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        super().run(tmp, task_vars)
        _, checked = self.validate_argument_spec(arguments(self.documentation), required_if=self.required_if)
        faults: tuple[type[Exception], ...] = (RegisterError, RuntimeFault, *self.faults)
        try:
            return {"changed": False} | self.work(plain(checked), bool(self._task.check_mode))
        except faults as error:
            return {"failed": True, "changed": False, "msg": str(error)}


def arguments(documentation: str) -> dict[str, dict[str, Any]]:
    """The argument specification that a documentation describes."""
    return _specification(yaml.safe_load(documentation)["options"])


def _specification(options: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    specification = {}
    for name, option in options.items():
        entry = {key: option[key] for key in option if key not in ("description", "suboptions")}
        if "suboptions" in option:
            entry["options"] = _specification(option["suboptions"])
        specification[name] = entry
    return specification


def subjects(params: Mapping[str, Any]) -> tuple[Register, list[Municipality]]:
    """The register of `asp_environment`, and in it each of `municipalities` once. RegisterError for an unknown one."""
    register = load(params["asp_environment"])
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
