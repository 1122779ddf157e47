"""The commands of docs/engine.md are run as they stand there: those of every day, and those of a hand-over."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from centre.verbs import provision, stack
from inventory import paths
from inventory.register import load
from inventory.vault import vault
from stacks.engine.backend import Backend
from stacks.order import Stack

DOCUMENT = (paths.ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"^```\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL) if "asp env" in block]
NETWORK = Stack("network", "dev")
LEFT = {
    "urn": "urn:pulumi:dev::network::t:i:Cell::left",
    "type": "t:i:Cell",
    "custom": False,
    "created": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Runs lines in a folder like ours; stack `network` needs no daemon there, and the engine is Pulumi's command."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    register = load("dev")
    vault.ensure(register)
    provision.configure(NETWORK)
    folder = tmp_path / "stacks" / "network"
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_bytes((Path(NETWORK.folder) / "Pulumi.yaml").read_bytes())
    program = "import pulumi\npulumi.export('environment', pulumi.Config('asp').require('environment'))\n"
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    python = shlex.quote(sys.executable)
    commands = {
        "asp": f'[ "$*" = "env dev" ] || exit 2\ncat {tmp_path}/exports\n',
        "python": f'exec {python} "$@"\n',
        "pulumi": f'exec {python} -m stacks.engine "$@"\n',
    }
    (tmp_path / "bin").mkdir()
    for name, body in commands.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}", encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "exports").write_text(stack.exports(register), encoding="utf-8")
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def run(lines: str) -> str:
        process = subprocess.run(
            ["bash", "-e", "-c", lines], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout + process.stderr

    return run


def test_the_document_shows_both():
    everyday, handover = BLOCKS
    assert "up -s dev --yes" in everyday and "cancel --yes" in handover and "\npulumi preview" in handover


def test_the_commands_of_every_day_and_of_a_hand_over_work(shell, tmp_path):
    everyday, handover = BLOCKS
    output = shell(everyday)
    assert json.loads(output[output.rindex("{\n") :]) == {"environment": "dev"}
    # A run that was killed left its journal: without `cancel` the other side would not know what it had made.
    backend = Backend(f"file://{paths.state_dir('dev')}", tmp_path)
    journal = backend.path("network", "dev").with_suffix(".journal")
    journal.write_text(json.dumps({"kind": "done", "op": "create", "resource": LEFT}) + "\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="changes were proposed: 1 to delete"):
        shell(handover)
    assert not journal.exists() and LEFT["urn"] in backend.path("network", "dev").read_text(encoding="utf-8")
    shell(everyday)
    assert "no changes" not in shell(handover)
