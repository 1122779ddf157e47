"""Whole previews of small programs, in a process of their own: no daemon is asked, so none is needed."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.engine import cli, executor
from stacks.engine.backend import Backend
from stacks.engine.connections import Connections
from stacks.engine.secrets import Crypter
from stacks.engine.state import Snapshot

ROOT = Path(__file__).resolve().parents[2]
HEAD = "import pulumi\nimport pulumi_docker as docker\n"
VOLUMES = (
    "a = docker.Volume('a', name='a')\nb = docker.Volume('b', name='b', labels=[{'label': 'a', 'value': a.name}])\n"
)


class Project:
    """A project with a stack `dev` and no daemon."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n", encoding="utf-8")
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "p",
            "PYTHONPATH": str(ROOT),
            "DOCKER_HOST": "unix:///nonexistent.sock",
        }
        self.backend = Backend(self.environment["PULUMI_BACKEND_URL"], folder)
        self.backend.create("p", "dev")
        self.backend.select("p", "dev")
        (folder / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {salt()}\n", encoding="utf-8")

    def run(self, *arguments: str, status: int = 0) -> str:
        """A verb that runs a program, in a process of its own."""
        command = [sys.executable, "-m", "stacks.engine", *arguments]
        process = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert process.returncode == status, process.stdout + process.stderr
        return process.stdout + process.stderr

    def say(self, *arguments: str, status: int = 0) -> str:
        """A verb that runs no program, in this process, which has loaded the engine already."""
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with contextlib.redirect_stderr(output):
                answer = cli.main(["-C", str(self.folder), *arguments])
        assert answer == status, output.getvalue()
        return output.getvalue()

    def preview(self, body: str, *flags: str, status: int = 0) -> str:
        (self.folder / "__main__.py").write_text(HEAD + body, encoding="utf-8")
        return self.run("preview", "-s", "dev", *flags, status=status)

    def load(self, *resources: dict) -> None:
        """Give the stack a state, as if it had been deployed."""
        snapshot = Snapshot.from_deployment({"resources": list(resources)}, str)
        self.backend.save("p", "dev", snapshot.deployment(None))


@functools.cache
def salt() -> str:
    """That of the passphrase, derived once for all stacks."""
    return Crypter.fresh("p").state


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
PROVIDER = "urn:pulumi:dev::p::pulumi:providers:docker::default_5_2_0"


def deployed(*names: str, **options) -> list[dict]:
    """A state with volumes of these names, each needing the one before it."""
    inputs = {"__internal": {}, "version": "5.2.0"}
    state = [
        {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"},
        {"urn": PROVIDER, "custom": True, "id": "1", "type": "pulumi:providers:docker", "inputs": inputs},
    ]
    before = None
    for name in names:
        labels = [{"label": "a", "value": before}] if before else []
        item = {
            "urn": urn(name),
            "custom": True,
            "id": name,
            "type": "docker:index/volume:Volume",
            "inputs": {"__defaults": [], "name": name, "labels": labels},
            "outputs": {"name": name, "id": name, "driver": "local", "labels": labels, "mountpoint": "/m"},
            "parent": STACK,
            "provider": f"{PROVIDER}::1",
        }
        if before:
            item["dependencies"] = [urn(before)]
            item["propertyDependencies"] = {"labels": [urn(before)]}
        state.append({**item, **options.get(name, {})})
        before = name
    return state


def urn(name: str) -> str:
    return f"urn:pulumi:dev::p::docker:index/volume:Volume::{name}"


def test_a_preview_asks_no_daemon(project):
    output = project.preview(VOLUMES)
    assert "Volume a create" in output and "Volume b create" in output and "+ 3 to create" in output


def test_a_bad_value_ends_the_preview(project):
    output = project.preview("docker.Container('c', image='i', restart='sometimes')\n", status=1)
    text = "docker:index/container:Container resource 'c' has a problem: 'sometimes' doesn't match the pattern "
    assert text in output and "Examine values at 'c.restart'." in output


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("replace_with=[a]", "the option replace_with is not covered by the embedded engine: name the other's output"),
        ("import_='x'", "the option import_ is not covered by the embedded engine: adopt the object once"),
        ("replacement_trigger='x'", "the option replacement_trigger is not covered by the embedded engine: put the"),
        (
            "hooks=pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook('h', lambda args: None)])",
            "resource hook 'h' is not covered by the embedded engine: do it in the program or in a playbook",
        ),
    ],
)
def test_an_option_that_is_not_covered_says_what_to_use(project, option, message):
    options = f"opts=pulumi.ResourceOptions({option})"
    output = project.preview(f"a = docker.Volume('a')\nb = docker.Volume('b', {options})\n", status=1)
    assert message in output and "Please update the Pulumi CLI" not in output


def test_a_function_that_fails_shows_where_in_the_program(project):
    output = project.preview("\ndocker.get_network(name='none')\n", status=1)
    assert f'File "{project.folder}/__main__.py", line 4' in output and "Cannot connect to the Docker daemon" in output


def test_a_fault_in_an_output_shows_a_traceback(project):
    output = project.preview("pulumi.export('x', pulumi.Output.from_input({}).apply(lambda d: d['nope']))\n", status=1)
    assert "Traceback (most recent call last)" in output and "KeyError: 'nope'" in output


def test_what_stays_the_same_is_shown_when_asked_for(project):
    project.load(*deployed("a", "b"))
    assert "Volume a" not in project.preview(VOLUMES, "--expect-no-changes")
    assert "Volume a same" in project.preview(VOLUMES, "--show-sames")


def test_a_replacement_can_be_asked_for(project):
    project.load(*deployed("a", "b"))
    output = project.preview(VOLUMES, "--replace", urn("b"))
    assert "+- 1 to replace" in output and "3 unchanged" not in output and "Volume b delete-replaced" in output
    assert "could not be found in the stack" in project.preview(VOLUMES, "--replace", urn("c"), status=1)


CHANGED = VOLUMES.replace("name='a'", "name='x'") + "docker.Volume('c', name='c')\n"


def test_targets_and_their_dependents(project):
    project.load(*deployed("a", "b"))
    output = project.preview(CHANGED, "--target", urn("c"))
    assert "+ 1 to create" in output and "replace" not in output
    output = project.preview(CHANGED, "--target", urn("a"), "--target-dependents")
    assert "+- 2 to replace" in output and "create\n" not in output
    output = project.preview(CHANGED, "--target-replace", urn("b"))
    assert "Volume b replace" not in output and "+- 1 to replace" in output and "Volume a" not in output


def test_all_but_what_is_excluded(project):
    project.load(*deployed("a", "b"))
    output = project.preview(CHANGED, "--exclude", "*::c")
    assert "+- 2 to replace" in output and "Volume c" not in output
    output = project.preview(CHANGED, "--exclude", "*::a", "--exclude", "*::b")
    assert "Volume c create" in output and "replace" not in output
    assert "cannot be used together" in project.preview(VOLUMES, "--exclude", "x", "--target", "y", status=2)


def test_a_new_resource_that_needs_an_excluded_one_is_refused(project):
    output = project.preview(VOLUMES, "--exclude", "*::a", status=1)
    assert f"Resource '{urn('b')}' depends on '{urn('a')}' which is not to be made" in output


def test_a_destroy_can_be_previewed_alone(project):
    project.load(*deployed("a", "b"))
    (project.folder / "__main__.py").write_text("", encoding="utf-8")
    assert "- 3 to delete" in project.say("destroy", "-s", "dev", "--preview-only")
    output = project.say("destroy", "-s", "dev", "--preview-only", "--exclude", urn("b"))
    assert "to delete" not in output, "what an excluded resource needs stays with it"
    output = project.say("destroy", "-s", "dev", "--preview-only", "--target", urn("a"), status=1)
    assert "or use --target-dependents" in output
    output = project.say("destroy", "-s", "dev", "--preview-only", "--target", urn("a"), "--target-dependents")
    assert "- 2 to delete" in output
    assert "Volume  b" not in output and len(json.loads(project.say("stack", "export"))["deployment"]["resources"]) == 4


@pytest.mark.parametrize(("flag", "rest"), [("--preview-only", ["a", "b"]), ("--yes", [])])
def test_a_refresh_can_be_previewed_alone(project, monkeypatch, flag, rest):
    class Nowhere:
        """Objects that are all gone."""

        def read(self, daemon, identity, outputs):
            return None

    monkeypatch.setattr(executor, "kind_of", lambda token: Nowhere())
    monkeypatch.setattr(Connections, "daemon_of", lambda self, reference: None)
    project.load(*deployed("a", "b"))
    assert "Volume a: gone" in project.say("refresh", "-s", "dev", flag)
    resources = json.loads(project.say("stack", "export"))["deployment"]["resources"]
    assert [item["id"] for item in resources if "Volume" in item["type"]] == rest


def test_configuration_can_be_given_with_the_command_and_stays(project):
    program = "pulumi.export('n', pulumi.Config().require_int('n'))\n"
    program += "pulumi.export('c', pulumi.Config().require_object('c'))\n"
    flags = ["--config", "n=1", "--config", "c={}"]
    project.preview(program, *flags)
    project.preview(program)
    project.preview(program, "--config-path", "--config", "c[0].x=2")
    assert "p:n: '1'" in (project.folder / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert "is no setting; wanted KEY=VALUE" in project.preview(program, "--config", "n", status=2)
    project.say("destroy", "-s", "dev", "--preview-only", "--config", "n=3")
    assert "p:n: '3'" in (project.folder / "Pulumi.dev.yaml").read_text(encoding="utf-8")


def test_a_run_goes_on_with_what_does_not_depend_on_a_failure(project):
    project.load(*deployed("a", "b"))
    body = (
        VOLUMES
        + "c = docker.Volume('c', name='c')\nd = docker.Volume('d', name=c.name)\ne = docker.Volume('e', name='e')\n"
    )
    (project.folder / "__main__.py").write_text(HEAD + body.replace("b = ", "if False: b = "), encoding="utf-8")
    output = project.run("up", "-s", "dev", "--yes", "--skip-preview", "--continue-on-error", "-p", "1", status=1)
    assert "Volume c failed" in output and "Volume e failed" in output and "Volume d" not in output
    assert "Volume b" not in output, "nothing is deleted in a run in which something failed"
    assert "2 unchanged" in output


def test_cancel_folds_the_journal_of_a_dead_run(project):
    """A CLI cannot see the journal: whoever goes over to it after a crash cancels here first."""
    project.load(*deployed("a"))
    rest = {**deployed("a", "b")[-1], "created": "2026-01-01T00:00:00Z"}
    journal = project.folder / "state" / ".pulumi" / "stacks" / "p" / "dev.journal"
    journal.write_text(json.dumps({"kind": "done", "op": "create", "resource": rest}) + "\n", encoding="utf-8")
    lock = project.folder / "state" / ".pulumi" / "locks" / "organization" / "p" / "dev" / "dead.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({"pid": 1, "username": "u, embedded", "hostname": "elsewhere"}), encoding="utf-8")
    output = project.run("cancel", "-s", "dev", "--yes")
    assert "Broke the lock of u@elsewhere" in output and "Took 1 records of an interrupted run into the state" in output
    checkpoint = json.loads(journal.with_suffix(".json").read_text(encoding="utf-8"))["checkpoint"]["latest"]
    assert [item["urn"] for item in checkpoint["resources"]][-1] == urn("b")
    assert not journal.exists() and not lock.exists()


def test_a_program_gets_the_parts_of_the_sdk_that_are_not_loaded_beforehand(project):
    output = project.preview(
        "import sys\nassert 'dill' not in sys.modules\n"
        "import pulumi.automation\nfrom pulumi.dynamic import ResourceProvider\nimport pulumi.automation.errors\n"
        "print(pulumi.automation.LocalWorkspace.__name__, ResourceProvider.__name__)\n"
        "print(pulumi.dynamic.Resource.__name__)\n"
        "print(pulumi.automation.errors.CommandError.__name__)\n"
    )
    assert "LocalWorkspace ResourceProvider" in output and "    Resource\n" in output and "CommandError" in output


def test_a_run_that_changes_nothing_writes_nothing(project):
    project.load(*deployed("a", "b"))
    project.preview(VOLUMES)
    checkpoint = project.folder / "state" / ".pulumi" / "stacks" / "p" / "dev.json"
    project.run("up", "-s", "dev", "--yes", "--skip-preview")  # the dependencies of the program are taken over
    before = (checkpoint.read_bytes(), checkpoint.stat().st_mtime_ns)
    project.run("up", "-s", "dev", "--yes", "--skip-preview", "--expect-no-changes")
    assert (checkpoint.read_bytes(), checkpoint.stat().st_mtime_ns) == before
    assert not checkpoint.with_suffix(".journal").exists()
