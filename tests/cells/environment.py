"""Environment `three`: environment `test` with a cell of three nodes, made for its tests and removed afterwards.

ASP_THREE_ENV names one that is up already, for whoever works on it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from inventory import paths
from inventory.register import load
from stacks.cell.leader import members
from stacks.plan import Stack
from stacks.progress import Steps
from stacks.runtime import RuntimeFault
from stacks.up import bring_up, pulumi_environment

GIVEN = os.environ.get("ASP_THREE_ENV")
ENV = GIVEN or "three"
FOLDER = paths.ENVIRONMENTS / ENV
SETTINGS = {
    r"^id: test$": "id: three",
    r"10\.62\.0\.0": "10.72.0.0",
    r"https: \d+": "https: 17243",
    r"http: \d+": "http: 17280",
    r"ssh_base: \d+": "ssh_base: 17410",
    r"nodes: 1\b": "nodes: 3",
    r"capacity: \d+": "capacity: 64",
}
WHOLE = ["leader running", "replica streaming", "sync_standby streaming"]


def write() -> None:
    """The environment's folder in the register."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(paths.ENVIRONMENTS / "test", FOLDER)
    text = (FOLDER / "environment.yaml").read_text()
    for pattern, value in SETTINGS.items():
        text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
        assert count, f"environment test has no {pattern}"
    (FOLDER / "environment.yaml").write_text(text)


def command(verb: str) -> subprocess.CompletedProcess[str]:
    """`up` or `clean`, as `make` does it."""
    argv = [sys.executable, "-m", "stacks.up", verb, ENV]
    return subprocess.run(argv, env={**os.environ, "YES": "1"}, capture_output=True, text=True)


def databases_up() -> str:
    """What bringing the cell's stack up changed."""
    steps = Steps(paths.environment_dir(ENV) / "logs")
    return bring_up(steps, Stack("databases", f"baz1.{ENV}"), pulumi_environment(load(ENV))) or ""


def roles(runtime, names):
    """Sorted `<role> <state>` of the cell's members, or the fault's words."""
    try:
        return sorted(f"{m['role']} {m['state']}" for m in members(runtime, names))
    except RuntimeFault as fault:
        return str(fault)
