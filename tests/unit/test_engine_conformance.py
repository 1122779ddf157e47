"""The bench of recorded cases works with Pulumi's own command in the engine's place."""

from __future__ import annotations

import pytest

from tests.engine.conformance import Bench
from tests.engine.harness import Sandbox

CLI = """#!/bin/sh
# As Pulumi's own command, which hides --event-log from everybody who does not debug it.
[ "$1" != stack ] || exit 0
case "$*" in *--event-log*) [ -n "$PULUMI_DEBUG_COMMANDS" ] || { echo "unknown flag: --event-log"; exit 255; } ;; esac
"""


@pytest.fixture(autouse=True)
def cli(tmp_path, monkeypatch):
    command = tmp_path / "pulumi"
    command.write_text(CLI, encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PULUMI", str(command))
    monkeypatch.delenv("PULUMI_DEBUG_COMMANDS", raising=False)


def test_pulumis_own_command_writes_the_bench_an_event_log(tmp_path):
    bench = Bench()
    try:
        result = bench.run(tmp_path, "up", "--event-log", "x")
    finally:
        bench.close()
    assert (result.returncode, result.stdout) == (0, "")


def test_and_so_it_does_for_a_sandbox(tmp_path):
    assert Sandbox(tmp_path).init().up("--event-log", "x") == ""
