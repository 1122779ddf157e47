"""Whom `centre.sandbox.refill` may empty: a sandbox that has joined, and only when it is named."""

import subprocess
import sys

import pytest

from centre.sandbox.refill import RefillFault, confirm, sandbox
from inventory import paths
from tests.unit.inventory.register_copy import Copy

FILE = "environments/dev/municipalities/14915-malyinka.yaml"


@pytest.fixture
def copy(tmp_path):
    copy = Copy(tmp_path)
    copy.edit(FILE, "phase:", "training: true\nphase:")
    return copy


def test_a_sandbox_is_emptied_when_it_is_named(copy):
    municipality = sandbox(copy.load(), "14915")
    confirm(municipality, "Mályinka")
    for name in ("", "mályinka", "Sajószentpéter"):
        with pytest.raises(RefillFault, match=f"not confirmed: seen '{name}', wanted .* 'Mályinka'"):
            confirm(municipality, name)


def test_a_municipality_that_works_never_is(copy):
    with pytest.raises(RefillFault, match=r"Sajószentpéter \(16054\) is not marked training: true"):
        sandbox(copy.load(), "16054")


def test_one_that_has_not_joined_has_nothing_to_empty(copy):
    copy.edit(FILE, "phase: connection", "phase: preparation")
    with pytest.raises(RefillFault, match="has no tenant in phase preparation"):
        sandbox(copy.load(), "14915")


@pytest.mark.parametrize("more", [[], ["--check"], ["--confirm", "Sajószentpéter"]])
def test_the_command_says_so_in_one_line(more):
    command = [sys.executable, "-m", "centre.sandbox.refill", "--env", "dev", "--municipality", "16054", *more]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr.startswith("error: Sajószentpéter (16054) is not marked training") and done.stderr.count("\n") == 1
    )
