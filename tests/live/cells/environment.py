"""Environments made for the tests of this folder from environment `test`, and removed afterwards.

`trio` has a cell of three nodes from the beginning; `grown` begins with one. For whoever works on the tests,
`python -m tests.live.cells.environment` makes `trio` and leaves it; with ASP_TRIO_KEPT=1 they take it as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from centre.backup.backups import Repository
from centre.reach.leader import members
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault
from centre.verbs import provision
from centre.verbs.progress import Steps
from inventory import paths
from inventory.register import load
from inventory.vault import vault
from stacks.order import Stack
from tests.support.polling import poll

KEPT = os.environ.get("ASP_TRIO_KEPT") == "1"
ENV, GROWN = "trio", "grown"
DIGIT = {ENV: 2, GROWN: 3}  # of the subnet and of every port: the two may run at once
WHOLE = ["leader running", "quorum_standby streaming", "quorum_standby streaming"]


def file(env: str = ENV) -> Path:
    """Where the environment's settings are."""
    return paths.ENVIRONMENTS / env / "environment.yaml"


def write(env: str = ENV, nodes: int = 3) -> None:
    """The environment's folder in the register, of which nothing that an interrupted run left is there any more."""
    digit = DIGIT[env]
    remove(env)
    shutil.copytree(paths.ENVIRONMENTS / "test", file(env).parent)
    change(
        {
            r"^id: test$": f"id: {env}",
            r"10\.62\.0\.0": f"10.7{digit}.0.0",
            r"https: \d+": f"https: 17{digit}43",
            r"http: \d+": f"http: 17{digit}80",
            r"ssh_base: \d+": f"ssh_base: 174{digit}0",
            r"nodes: 1\b": f"nodes: {nodes}",
            r"capacity: \d+": "capacity: 64",
        },
        env,
    )
    result = command("clean", env)
    assert result.returncode == 0, result.stdout + result.stderr


def change(settings: dict[str, str], env: str = ENV) -> None:
    """Replace settings in the environment's file: pattern → text."""
    text = file(env).read_text()
    for pattern, value in settings.items():
        text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
        assert count, f"environment {env} has no {pattern}"
    file(env).write_text(text)


def remove(env: str = ENV) -> None:
    """Take the environment out of the register."""
    shutil.rmtree(file(env).parent, ignore_errors=True)


def command(verb: str, env: str = ENV) -> subprocess.CompletedProcess[str]:
    """`up` or `clean`, as `make` does it."""
    argv = [sys.executable, "-m", "centre", verb, env]
    return subprocess.run(argv, env={**os.environ, "YES": "1"}, capture_output=True, text=True)


def databases_up() -> str:
    """What bringing the cell's stack up changed."""
    return _stack_up("databases", "baz1")


def cell_up() -> None:
    """Bring up what the cell needs and nothing else: its images, networks, databases and backups."""
    register = load(ENV)
    vault.ensure(register)
    subprocess.run([sys.executable, "-m", "stacks.images.build", "dbproxy", "etcd", "postgres"], check=True)
    _stack_up("network")
    databases_up()
    _stack_up("backups", "baz1")
    runtime = Runtime(register)
    poll(lambda: roles(runtime, register.cell("baz1")), lambda states: states == WHOLE, 150, "the cell is whole")
    repository = Repository(CellSql(runtime, "baz1"))
    repository.create_stanza()
    repository.prove_archiving()


def _stack_up(project: str, cell: str | None = None) -> str:
    steps = Steps(paths.environment_dir(ENV) / "logs")
    return provision.bring_up(steps, Stack(project, ENV, cell), provision.environment(load(ENV)))


def roles(runtime, names):
    """Sorted `<role> <state>` of the cell's members, or the fault's words."""
    try:
        return sorted(f"{m['role']} {m['state']}" for m in members(runtime, names))
    except RuntimeFault as fault:
        return str(fault)


if __name__ == "__main__":
    write()
    cell_up()
