"""What `make up` promises: everything stands as the programs say, and a second run changes nothing."""

import os
import subprocess
import sys

import pytest

from centre.verbs import up
from inventory.register import load
from stacks import order
from tests.support.long import of_family

STACKS = [stack for wave in order.waves(load(os.environ.get("ASP_ENV") or "test")) for stack in wave]


def run(argv, environ=None, limit=300):
    return subprocess.run(argv, env={**os.environ, **(environ or {})}, capture_output=True, text=True, timeout=limit)


# The second up below says the same of all of them.
@pytest.mark.parametrize("stack", of_family(STACKS, STACKS[:1]), ids=lambda stack: f"{stack.project}-{stack.name}")
def test_nothing_to_change(register, stack):
    command = [*up.pulumi(), "-C", stack.folder, "preview", "--stack", stack.name, "--refresh", "--expect-no-changes"]
    done = run(command, up.pulumi_environment(register))
    assert done.returncode == 0, done.stdout + done.stderr


def test_second_up_changes_nothing_and_says_so(register):
    done = run([sys.executable, "-m", "centre.verbs.up", "up", register.environment.id])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing changed" in done.stdout, done.stdout


def test_two_runs_at_once_are_refused(register):
    with up.alone(register):
        done = run([sys.executable, "-m", "centre.verbs.up", "up", register.environment.id])
    assert done.returncode == 1
    assert f"environment {register.environment.id} is being worked on by process {os.getpid()}" in done.stderr


def test_a_taken_port_is_one_message(register, monkeypatch):
    """Some other program has the https port: said before anything is touched, with what to do."""
    import socket

    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        taken = other.getsockname()[1]
        changed = register.environment.ports.model_copy(update={"https": taken})
        environment = register.environment.model_copy(update={"ports": changed})
        monkeypatch.setattr(register, "environment", environment)
        with pytest.raises(
            up.StepFailed, match=rf"port {taken} \(https\): seen taken by another program .*, wanted free"
        ):
            up.ports(register)


def test_status_shows_services_and_addresses(register):
    done = run([sys.executable, "-m", "centre.verbs.up", "status", register.environment.id])
    assert done.returncode == 0
    assert f"{register.names.edge} " in done.stdout
    assert "running 1/1" in done.stdout
    assert register.municipality("16054").url() in done.stdout
