"""Engines are run with this environment's state and the stack's configuration; plans are read from their JSON."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from centre.faults import UsageFault
from centre.verbs import plan, provision, stack
from centre.verbs.plan import Preview
from centre.verbs.progress import Steps
from inventory import paths
from inventory.register import load
from inventory.vault import vault
from stacks.order import Stack

NETWORK, CELL = Stack("network", "dev"), Stack("databases", "dev", "baz1")


@pytest.fixture
def register(tmp_path, monkeypatch):
    """The register of `dev`, with a vault of its own."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    register = load("dev")
    vault.ensure(register)
    return register


def test_a_stacks_configuration_is_written_beside_what_stands_there(register):
    file = paths.LOCAL / "config" / "databases" / "Pulumi.baz1.dev.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("encryptionsalt: v1:abc\nconfig:\n  docker:host: ssh://somewhere\n")
    provision.configure(CELL)
    assert yaml.safe_load(file.read_text()) == {
        "encryptionsalt": "v1:abc",
        "config": {"docker:host": "ssh://somewhere", "asp:environment": "dev", "asp:cell": "baz1"},
    }
    modified = file.stat().st_mtime_ns
    provision.configure(CELL)
    assert file.stat().st_mtime_ns == modified


def test_the_engine_is_the_one_that_PULUMI_names(monkeypatch):
    monkeypatch.setenv("PULUMI", "/opt/pulumi --tracing x")
    assert provision.command() == ["/opt/pulumi", "--tracing", "x"]
    monkeypatch.delenv("PULUMI")
    assert provision.command() == [sys.executable, "-m", "stacks.engine"]


CLI = """#!/bin/sh
# As Pulumi's own command: it hides --event-log from everybody who does not debug it.
for last; do :; done
case "$*" in
    *--event-log*)
        [ -n "$PULUMI_DEBUG_COMMANDS" ] || { echo "error: unknown flag: --event-log"; exit 255; }
        echo '{"summaryEvent": {"resourceChanges": {"create": 2, "same": 1}}}' > "$last" ;;
esac
"""


def test_pulumis_own_command_brings_a_stack_up_and_says_what_it_changed(register, tmp_path, monkeypatch):
    cli = tmp_path / "pulumi"
    cli.write_text(CLI, encoding="utf-8")
    cli.chmod(0o755)
    monkeypatch.setenv("PULUMI", str(cli))
    monkeypatch.delenv("PULUMI_DEBUG_COMMANDS", raising=False)
    steps = Steps(tmp_path / "logs")
    assert provision.bring_up(steps, NETWORK, provision.environment(register)) == "2 created"


def test_exports_for_a_shell_keep_the_passphrase_off_the_terminal(register):
    text = stack.exports(register)
    passphrase = vault.load(register).password("pulumi_passphrase")
    assert passphrase not in text
    file = paths.environment_dir("dev") / "pulumi-passphrase"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (passphrase, 0o600)
    output = subprocess.run(
        ["bash", "-c", 'eval "$1"; env', "env", text], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True
    ).stdout
    variables = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    assert variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)
    assert variables["PULUMI_BACKEND_URL"] == f"file://{paths.state_dir('dev')}"
    assert variables["PULUMI_STACK"] == "dev"
    assert "PULUMI_STACK=baz1.dev" in stack.exports(register, "baz1")


def test_with_these_exports_the_engines_own_command_works_in_a_folder_of_stacks(register, tmp_path):
    """What a Pulumi user does: eval, cd, stack init, config. The folder is a copy: configuration lies beside it."""
    folder = tmp_path / "stacks" / "network"
    shutil.copytree(NETWORK.folder, folder)
    provision.configure(NETWORK)
    engine = f"{shlex.quote(sys.executable)} -m stacks.engine"
    steps = [f"eval {shlex.quote(stack.exports(register))}", f"cd {folder}", f"{engine} stack init", f"{engine} config"]
    process = subprocess.run(["bash", "-c", " && ".join(steps)], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    assert re.search(r"asp:environment\s+dev", process.stdout), process.stdout


@pytest.mark.parametrize(
    ("project", "cell", "message"),
    [
        ("egde", None, "stack 'egde': no such project; wanted one of network, identity, "),
        ("databases", "baz9", "stack databases: cell baz9; wanted --cell with one of: baz1"),
        ("edge", "baz1", "stack edge: cell baz1; wanted --cell with one of: none, it is of the whole environment"),
    ],
)
def test_a_stack_that_is_not_there_is_named_with_those_that_are(register, project, cell, message):
    with pytest.raises(UsageFault, match=message):
        stack.choose(register, project, cell)


def test_the_only_cell_need_not_be_named(register):
    assert stack.choose(register, "databases", None) == CELL


STEPS = [
    {"op": "same", "urn": "urn:pulumi:dev::edge::pulumi:pulumi:Stack::edge-dev"},
    {"op": "update", "urn": "urn:pulumi:dev::edge::a$docker:index/service:Service::edge", "diffReasons": ["taskSpec"]},
    {"op": "create-replacement", "urn": "urn:pulumi:dev::edge::docker:index/remoteImage:RemoteImage::image-edge"},
]
CHANGED = json.dumps({"steps": STEPS, "changeSummary": {"same": 3, "update": 1}})


def test_a_preview_says_what_would_change():
    result = plan.of_output(NETWORK, 0, CHANGED, "")
    assert (result.changes, result.fault, result.counts["update"], len(result.steps)) == (True, "", 1, 1)
    table = plan.text("dev", [result], 1.0)
    assert "network dev  1 to update (3 unchanged)" in table
    assert "    update   docker:index/service:Service edge (taskSpec)" in table
    assert table.endswith("1 of 1 stacks would change, after 1 s. To change it: asp up dev")


def test_a_preview_without_changes():
    result = plan.of_output(NETWORK, 0, json.dumps({"steps": STEPS[:1], "changeSummary": {"same": 3}}), "")
    assert not result.changes
    assert plan.text("dev", [result], 1.0).endswith("nothing would change, after 1 s")


def test_a_stack_that_does_not_exist_would_be_created():
    result = plan.of_output(NETWORK, plan.ABSENT, "", "error: no stack named 'dev' found")
    assert (result.changes, result.absent, result.fault) == (True, True, "")


@pytest.mark.parametrize(
    ("out", "err", "fault"),
    [
        (json.dumps({"diagnostics": [{"message": "cell = 'x': no\n such cell"}]}), "", "cell = 'x': no such cell"),
        ("", "Traceback\nerror: no backend", "Traceback error: no backend"),
        ("", "", "the engine's exit code is 1"),
    ],
)
def test_a_preview_that_failed_says_why(out, err, fault):
    assert plan.of_output(NETWORK, 1, out, err).fault == fault


@pytest.mark.parametrize(
    ("previews", "changes", "code", "strict"),
    [
        ([Preview("network", "dev", {"same": 1})], False, 0, 0),
        ([Preview("network", "dev", {"update": 1})], True, 0, 1),
        ([Preview("network", "dev", fault="no")], None, 3, 3),
        ([Preview("network", "dev", fault="no"), Preview("edge", "dev", {"create": 1})], True, 3, 3),
    ],
)
def test_a_plans_exit_code_says_whether_anything_would_change(monkeypatch, capsys, previews, changes, code, strict):
    monkeypatch.setattr(plan, "load", lambda env: None)
    monkeypatch.setattr(plan, "Runtime", lambda _: None)
    monkeypatch.setattr(plan, "plan", lambda register, refresh: previews)
    options = SimpleNamespace(env="dev", json=True, refresh=True, expect_no_changes=False)
    assert plan.run(options) == code
    assert json.loads(capsys.readouterr().out)["changes"] is changes
    options.expect_no_changes = True
    assert plan.run(options) == strict
