"""Running one tenant role by ansible-playbook, the way an operator's playbook does, or its action alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from centre.action import arguments
from centre.reach.runtime import RuntimeFault
from inventory import paths
from inventory.errors import RegisterError
from tests.support.modules import action


@dataclass(frozen=True)
class Play:
    """How a run went: exit code, number of changed tasks, whole output."""

    code: int
    changed: int
    text: str


def play(folder: Path, role: str, check: bool = False, **variables) -> Play:
    """Run `role` on the control node with its variables (without their prefix). `folder`: for the playbook."""
    prefixed = {f"{role}_{name}": value for name, value in variables.items()}
    book = [{"hosts": "localhost", "gather_facts": False, "roles": [{"role": role}], "vars": prefixed}]
    file = folder / f"{role}.json"
    file.write_text(json.dumps(book))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONPATH": str(paths.ROOT),
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "--diff", str(file)]
    process = subprocess.run(
        command + (["--check"] if check else []),
        env=environment,
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    text = process.stdout + process.stderr
    recap = re.search(r"changed=(\d+)", text)
    assert recap, f"no recap; ansible-playbook said:\n{text[-3000:]}"
    return Play(process.returncode, int(recap[1]), text)


def act(role: str, check: bool = False, **variables) -> Play:
    """The same by the role's action without Ansible around it, which takes 3 s a play: for what the action decides."""
    module = action(role)
    defaults = {name: option.get("default") for name, option in arguments(module.DOCUMENTATION).items()}
    try:
        variables["asp_environment"] = variables.pop("environment")
        result = module.run(defaults | variables, check)
    except (RegisterError, RuntimeFault, *module.ActionModule.faults) as fault:
        return Play(2, 0, str(fault))
    lines = [f"{sign}{line}" for side, sign in (("before", "-"), ("after", "+"))
             for line in result["diff"][side].splitlines()]  # fmt: skip
    return Play(0, int(result["changed"]), "\n".join(lines))
