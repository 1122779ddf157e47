"""Playbooks run as operators run them, and as a machine that dies ends them."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from inventory import paths
from tests.support.polling import PATIENCE


@dataclass(frozen=True)
class Run:
    """How a playbook went: exit code, number of changed tasks, whole output."""

    code: int
    changed: int
    text: str


@dataclass(frozen=True)
class Playbooks:
    """The playbooks of an environment."""

    env: str

    def start(self, name: str, *flags: str, **variables) -> subprocess.Popen:
        """A playbook in its own process; `variables` are extra variables."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), f"playbooks/{name}.yml", *flags]
        environ = {
            **os.environ,
            "ASP_ENV": self.env,
            "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
        }
        return subprocess.Popen(
            [*command, "-e", json.dumps(variables)],
            cwd=paths.ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self, name: str, *flags: str, **variables) -> Run:
        """Run a playbook to its end."""
        process = self.start(name, *flags, **variables)
        text, _ = process.communicate(timeout=240 * PATIENCE)
        recap = re.search(r"changed=(\d+)", text)
        assert recap, f"no recap; ansible-playbook said:\n{text[-3000:]}"
        return Run(process.returncode, int(recap[1]), text)


def kill_tree(process):
    """SIGKILL for a process and all below it (workers lead sessions of their own), parents first."""
    pending = [process.pid]
    while pending:
        pid = pending.pop(0)
        try:
            threads = Path(f"/proc/{pid}/task").iterdir()
            pending += [int(child) for thread in threads for child in (thread / "children").read_text().split()]
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
    process.communicate()


def run_until_killed(process, text):
    """Kill a playbook (with -v) a random moment after it announced a task whose name contains `text`."""
    for line in process.stdout:
        if line.startswith("started ") and text in line:
            break
    else:
        raise AssertionError(f"task {text!r} was never announced")
    wait = random.uniform(0, 1.5)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    kill_tree(process)
    return wait
