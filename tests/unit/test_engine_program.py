"""The program's interpreter, which starts before the engine knows what it will run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stacks.engine import child, cli, program, secrets
from tests.unit.test_engine_preview import Project

URN = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


@pytest.fixture(autouse=True)
def nothing_waits():
    yield
    program.dismiss()


def test_the_docker_client_is_loaded_without_what_SSH_needs():
    lines = [
        "import sys",
        "from stacks.engine.light import lean_docker",
        "from stacks.engine.docker.daemon import load_client",
        "lean_docker()",
        "load_client()",
        "print('docker' in sys.modules, 'paramiko' in sys.modules)",
    ]
    process = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    ("arguments", "interpreters"),
    [(["-s", "dev", "up", "--yes"], 1), (["preview"], 1), (["stack", "ls"], 0), (["destroy", "-s", "dev"], 0)],
)
def test_an_interpreter_starts_for_the_verbs_that_run_a_program(arguments, interpreters):
    program.foresee(arguments)
    assert len(program._waiting) == interpreters


def test_a_program_takes_the_interpreter_that_waits():
    program.foresee(["up"])
    [waiting] = program._waiting
    first, second = program.Program(), program.Program()
    try:
        assert first._process is waiting and second._process is not waiting
        assert program._waiting == []
    finally:
        first.stop()
        second.stop()
    assert waiting.returncode is not None


def test_an_interpreter_that_nobody_needs_is_ended():
    program.foresee(["up"])
    [waiting] = program._waiting
    program.dismiss()
    assert waiting.returncode is not None and program._waiting == []


@pytest.mark.parametrize(
    ("flags", "status", "refusal"),
    [(["-s", "none"], 6, "no stack named 'none'"), (["--sideways"], 2, "unrecognized arguments: --sideways")],
)
def test_a_refused_command_leaves_no_interpreter(tmp_path, flags, status, refusal):
    project = Project(tmp_path)
    command = [sys.executable, "-m", "stacks.engine", "up", *flags]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=project.environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    _, message = process.communicate(timeout=60)
    assert process.returncode == status and refusal in message
    processes = subprocess.run(
        ["ps", "-o", "args=", "-s", str(process.pid)], capture_output=True, text=True, check=False
    )
    assert processes.stdout == ""


def test_the_program_runs_in_its_folder_whoever_calls_it_from_wherever(tmp_path):
    """A file of the caller's folder does not stand for a module of the SDK, one of the project is its own."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "grpc.py").write_text("raise SystemExit('wrong module')\n", encoding="utf-8")
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder)
    (folder / "near.py").write_text("WORD = 'near'\n", encoding="utf-8")
    body = "import os\nimport near\nprint('at', os.getcwd(), near.WORD)\n"
    (folder / "__main__.py").write_text(body, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "stacks.engine", "-C", str(folder), "preview", "-s", "dev"]
    answer = subprocess.run(
        command,
        cwd=tmp_path / "work",
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert f"at {folder} near" in answer.stdout


def test_only_names_of_plain_strings_are_left_out():
    calls = []
    assert isinstance(child._create_urn(lambda *args: calls.append(args), "name", "a:b:C", URN), child._Unused)
    assert calls == []
    other = object()
    child._create_urn(lambda *args: calls.append(args), other, "a:b:C", URN)
    assert calls == [(other, "a:b:C", URN)]


def test_aliases_of_children_keep_their_names(tmp_path):
    """What the SDK makes of an alias of the parent is a name that the engine needs."""
    project = Project(tmp_path)
    old = {"urn": f"{URN[: URN.index('::pulumi')]}::c:c:Old::old", "type": "c:c:Old", "custom": False}
    child_urn = f"{URN[: URN.index('::pulumi')]}::c:c:Old$c:c:Part::old-part"
    part = {"urn": child_urn, "type": "c:c:Part", "custom": False, "parent": old["urn"]}
    project.load(old, part)
    body = (
        "class C(pulumi.ComponentResource):\n"
        "    def __init__(self, kind, name, opts=None):\n"
        "        super().__init__(kind, name, {}, opts)\n"
        "outer = C('c:c:New', 'new', pulumi.ResourceOptions(aliases=[pulumi.Alias(name='old', type_='c:c:Old',"
        " parent=pulumi.ROOT_STACK_RESOURCE)]))\n"
        "C('c:c:Part', 'new-part', pulumi.ResourceOptions(parent=outer))\n"
    )
    text = project.preview(body)
    assert "c:c:Old" not in text and "delete" not in text, text


def test_a_run_without_changes_derives_no_key(tmp_path, monkeypatch):
    """The derivation takes as long as the whole run, and would share its two cores with it."""
    project = Project(tmp_path)
    derived = []
    monkeypatch.setattr(secrets, "_derive", lambda *_: derived.append(1) or b"k" * 32)
    monkeypatch.setattr(secrets, "_open", lambda *_: secrets.CHECK_TEXT)
    for key, value in project.environment.items():
        monkeypatch.setenv(key, value)
    (tmp_path / "__main__.py").write_text("import pulumi\n", encoding="utf-8")
    command = ["-C", str(tmp_path), "up", "-s", "dev", "--yes", "--skip-preview"]
    assert cli.main(command) == 0 and derived == [1]
    assert cli.main(command) == 0 and derived == [1]
