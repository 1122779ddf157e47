"""Bad input: one clear message, the CLI's exit status, state and daemon intact."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
import time

import pytest

from tests.engine import image
from tests.engine.harness import client, volume


def test_a_program_that_raises(sandbox):
    sandbox.write(volume("a"))
    sandbox.up()
    before = sandbox.checkpoint.read_text(encoding="utf-8")
    sandbox.write(volume("a") + volume("b") + "raise ValueError('wrong cell')\n")
    output = sandbox.up(status=1)
    assert "ValueError: wrong cell" in output and '__main__.py", line 7' in output
    assert "runpy" not in output and "stacks/engine" not in output
    assert sandbox.volumes() == ["a"]
    assert sandbox.checkpoint.read_text(encoding="utf-8") == before


def test_a_syntax_error(sandbox):
    (sandbox.project / "__main__.py").write_text("def f(:\n", encoding="utf-8")
    assert "SyntaxError: invalid syntax" in sandbox.up(status=1)


def test_a_program_that_leaves_early(sandbox):
    sandbox.write("import os\nos._exit(3)\n")
    assert "the program ended with exit status 3 before it was complete" in sandbox.up(status=1)


def test_no_program(sandbox):
    assert "no program:" in sandbox.up(status=1)


def test_a_stack_that_does_not_exist(sandbox):
    sandbox.write("")
    output = sandbox.run("up", "-s", "prod", "--yes", status=6)
    assert "no stack named 'prod' found" in output and "known: dev" in output and "stack init prod" in output


def test_no_project_no_backend_no_stack(sandbox, tmp_path):
    assert "no Pulumi.yaml project file found" in sandbox.run("preview", "-C", str(tmp_path), status=2)
    assert "no backend: set PULUMI_BACKEND_URL" in sandbox.run("preview", status=2, PULUMI_BACKEND_URL="")
    (sandbox.state / ".pulumi" / "engine" / "sandbox.selected").unlink()
    assert "no stack selected" in sandbox.run("preview", status=6)


def test_a_corrupt_checkpoint(sandbox):
    sandbox.write(volume("a"))
    sandbox.up()
    sandbox.checkpoint.write_text('{"version": 3, "check', encoding="utf-8")
    output = sandbox.up(status=1)
    assert f"checkpoint {sandbox.checkpoint} is corrupt" in output and ".bak" in output
    assert sandbox.checkpoint.read_text(encoding="utf-8") == '{"version": 3, "check'
    sandbox.checkpoint.with_name("dev.json.bak").replace(sandbox.checkpoint)


def test_no_daemon(sandbox):
    sandbox.write(volume("a"))
    output = sandbox.up(status=1, DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert "Cannot connect to the Docker daemon at unix:///nonexistent/docker.sock" in output
    assert "Is the docker daemon running?" in output
    assert "a" not in sandbox.resources()


class _OldDaemon(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"ApiVersion": "1.24", "MinAPIVersion": "1.12"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        return


@pytest.fixture
def old_daemon(tmp_path):
    path = str(tmp_path / "old.sock")
    with socketserver.ThreadingUnixStreamServer(path, _OldDaemon) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"unix://{path}"
        server.shutdown()


def test_a_daemon_of_an_older_api(sandbox, old_daemon):
    sandbox.write(volume("a"))
    assert "speaks API 1.24, wanted 1.40 or newer" in sandbox.up(status=1, DOCKER_HOST=old_daemon)


def test_a_missing_image(sandbox):
    sandbox.write("docker.RemoteImage('i', name='127.0.0.1:1/eng-none:1')\n")
    output = sandbox.up(status=1)
    assert "unable to pull image 127.0.0.1:1/eng-none:1" in output and "build or load it first" in output


def test_a_port_in_use(sandbox):
    image.ensure()
    body = """
def box(name):
    return docker.Container(name, name=f"{P}-{name}", image="conformance/base:1", command=["sleep", "60"],
        restart="no", network_mode="bridge",
        ports=[docker.ContainerPortArgs(internal=80, external=18999, ip="127.0.0.1")])
one = box("one")
"""
    sandbox.write(body)
    sandbox.up()
    sandbox.write(body + "two = box('two')\n")
    output = sandbox.up(status=1)
    assert "port is already allocated" in output and "Unable to start container" in output
    assert set(sandbox.resources()) == {"sandbox-dev", "default_5_2_0", "one"}
    assert [item["Names"] for item in client().containers(all=True, filters={"name": f"{sandbox.prefix}-two"})] == []
    sandbox.run("destroy", "-s", "dev", "--yes")


def test_a_name_that_is_taken_by_another(sandbox):
    client().create_network(f"{sandbox.prefix}-n")
    sandbox.write("docker.Network('n', name=f'{P}-n')\n")
    output = sandbox.up(status=1)
    assert f"network with name {sandbox.prefix}-n already exists" in output
    assert "n" not in sandbox.resources()


def test_what_is_not_covered_is_refused_before_anything_is_touched(sandbox):
    sandbox.write(volume("a") + "docker.Plugin('p', name='x/y')\n")
    output = sandbox.up(status=1)
    assert "resource type 'docker:index/plugin:Plugin' is not covered by the embedded engine" in output
    assert "PULUMI=pulumi" in output
    assert sandbox.volumes() == []
    sandbox.write(volume("a") + "docker.get_plugin(alias='x')\n")
    assert "function 'docker:index/getPlugin:getPlugin' is not covered" in sandbox.up(status=1)
    sandbox.write("pulumi.ComponentResource('a:b:C', 'c', remote=True)\n")
    assert "remote component 'a:b:C' is not covered" in sandbox.up(status=1)
    assert sandbox.volumes() == []


def test_unknown_and_wrongly_typed_fields_are_refused_by_path(sandbox):
    sandbox.write("docker.Network('n', name='x', ipam_configs=[{'subnet': '10.0.0.0/24', 'gatway': '10.0.0.1'}])\n")
    output = sandbox.up(status=1)
    assert "docker:index/network:Network resource 'n' has a problem: no such field; known here: auxAddress" in output
    assert "Examine values at 'n.ipamConfigs[0].gatway'" in output
    sandbox.write("docker.Volume('v', name='x', labels='a=b')\n")
    output = sandbox.up(status=1)
    assert "resource 'v' has a problem: is str 'a=b', wanted a list. Examine values at 'v.labels'" in output


def test_two_resources_of_one_name(sandbox):
    sandbox.write(volume("a") + volume("a"))
    assert "Duplicate resource URN" in sandbox.up(status=1)


def test_a_wrong_passphrase_writes_nothing(sandbox):
    sandbox.write("docker.Volume('v', name=f'{P}-v', labels=[{'label': 'l', 'value': pulumi.Output.secret('x')}])\n")
    sandbox.up()
    before = sandbox.checkpoint.read_bytes()
    for verb in (["up", "--yes"], ["destroy", "--yes"], ["refresh", "--yes"], ["preview"]):
        assert "incorrect passphrase" in sandbox.run(*verb, "-s", "dev", status=1, PULUMI_CONFIG_PASSPHRASE="wrong")
    assert sandbox.checkpoint.read_bytes() == before
    assert sandbox.volumes() == ["v"]
    environment = dict(sandbox.environment)
    del environment["PULUMI_CONFIG_PASSPHRASE"]
    sandbox.environment = environment
    assert "passphrase must be set" in sandbox.run("up", "-s", "dev", "--yes", status=1)


def test_nobody_to_ask(sandbox):
    sandbox.write(volume("a"))
    assert "--yes must be passed in" in sandbox.run("up", "-s", "dev", status=2)
    assert sandbox.volumes() == []


def test_a_living_owners_lock_is_refused(sandbox):
    sandbox.write(volume("a") + "import time\nif not pulumi.runtime.is_dry_run(): time.sleep(60)\n")
    first = sandbox.start("up", "-s", "dev", "--yes", "--skip-preview")
    try:
        folder = sandbox.state / ".pulumi" / "locks" / "organization" / "sandbox" / "dev"
        deadline = threading.Event()
        for _ in range(200):
            if list(folder.glob("*.json")):
                break
            deadline.wait(0.05)
        output = sandbox.up(status=1)
        assert f"(pid {first.pid})" in output and "is currently locked by 1 lock(s)" in output
        assert "canceled" in sandbox.run("cancel", "-s", "dev", "--yes")
    finally:
        first.kill()
        first.communicate()
    sandbox.write(volume("a"))
    sandbox.up()


def test_a_service_that_does_not_come_up_shows_its_last_words(sandbox):
    image.ensure()
    sandbox.write(
        """
docker.Service("s", name=f"{P}-s", task_spec=docker.ServiceTaskSpecArgs(
    container_spec=docker.ServiceTaskSpecContainerSpecArgs(
        image="conformance/base:1", commands=["sh", "-c", "echo no such cell; exit 3"]),
    restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(condition="none")),
    endpoint_spec=docker.ServiceEndpointSpecArgs(mode="dnsrr"),
    converge_config=docker.ServiceConvergeConfigArgs(delay="1s", timeout="8s"))
"""
    )
    output = sandbox.up("--skip-preview", status=1)
    assert "did not converge after 8s" in output and "Last task: failed: task: non-zero exit (3)" in output
    assert "no such cell" in output
    assert "s" not in sandbox.resources() and client().services(filters={"name": f"{sandbox.prefix}-s"}) == []


def test_a_failure_in_an_output_ends_the_program_while_others_are_still_awaited(sandbox):
    """The wait for outputs is the engine's own (child.py): it must neither hang nor lose the reason."""
    sandbox.write(
        volume("a") + "import asyncio\n"
        "async def slow(name):\n    await asyncio.sleep(30)\n    return name\n"
        "def wrong(name):\n    raise ValueError('no such cell: ' + name)\n"
        "pulumi.Output.from_input(slow('x'))\n"
        "a.name.apply(lambda name: pulumi.Output.from_input(name).apply(wrong))\n"
    )
    began = time.monotonic()
    output = sandbox.up("--skip-preview", status=1)
    assert f"ValueError: no such cell: {sandbox.prefix}-a" in output
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\nsys.exit('no such cell')\n", "no such cell"),
        ("import sys\nsys.exit(0)\n", "ended with exit status 0 before it was complete"),
        ("def f(): f()\nf()\n", "RecursionError"),
        ("pulumi.export('x', object())\n", "unexpected input of type object"),
        ("pulumi.Config().require('cells')\n", "Missing required configuration variable 'sandbox:cells'"),
        (
            volume("a", "opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='x'))"),
            "has a problem: 'x' is no duration; wanted one like 30s, 5m or 1h30m. Examine values at 'a.customT",
        ),
    ],
)
def test_programs_that_fail_say_why_and_change_nothing(sandbox, body, message):
    before = sandbox.checkpoint.read_bytes()
    sandbox.write(body)
    output = sandbox.run("preview", "-s", "dev", status=1)
    assert message in output and "stacks/engine" not in output
    assert sandbox.checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("file", "text", "status", "message"),
    [
        ("Pulumi.yaml", "name: [p\n", 2, "is not valid YAML"),
        ("Pulumi.yaml", "runtime: python\n", 2, "has no 'name'"),
        ("Pulumi.yaml", "name: sandbox\nruntime: nodejs\n", 2, "runs only 'python'"),
        ("Pulumi.yaml", "name: sandbox\nruntime: python\nmain: sub\n", 1, "no program: "),
        ("Pulumi.dev.yaml", "config: [1\n", 2, "is not valid YAML"),
        ("Pulumi.dev.yaml", "config: 3\n", 2, "config is 3, wanted a mapping"),
        ("Pulumi.dev.yaml", "encryptionsalt: v1:x\n", 1, "is not of the form v1:<salt>"),
        ("Pulumi.dev.yaml", "encryptionsalt: v1:!!:v1:a:b\n", 1, "is not of the form v1:<salt>"),
    ],
)
def test_damaged_project_files_are_told(sandbox, file, text, status, message):
    sandbox.write(volume("a"))
    (sandbox.project / file).write_text(text, encoding="utf-8")
    assert message in sandbox.run("preview", "-s", "dev", status=status)
    assert sandbox.volumes() == []


RECORD = '{"version":3,"checkpoint":{"latest":{"resources":[%s]}}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is corrupt"),
        ("[]", "has version 'list', wanted 3"),
        ('{"version":3,"checkpoint":{"latest":[1]}}', "latest is no mapping"),
        (RECORD % "3", "has no urn or type"),
        (RECORD % '{"urn":"x","type":"y"}', "has urn 'x', wanted urn:pulumi:"),
        (RECORD % '{"urn":"urn:pulumi:dev::s::y::n","type":"y","outputs":[]}', "outputs is '[]', wanted a dict"),
        (RECORD % '{"urn":"urn:pulumi:dev::s::y::n","type":"y","parent":"urn:pulumi:dev::s::z::m"}', "not consistent"),
    ],
)
def test_damaged_checkpoints_are_told_and_left_alone(sandbox, text, message):
    sandbox.write(volume("a"))
    sandbox.checkpoint.write_text(text, encoding="utf-8")
    assert message in sandbox.up("--skip-preview", status=1)
    assert sandbox.checkpoint.read_text(encoding="utf-8") == text and sandbox.volumes() == []


def test_a_journal_cut_in_the_middle_and_a_damaged_one(sandbox):
    sandbox.write(volume("a"))
    sandbox.up("--skip-preview")
    journal = sandbox.checkpoint.with_suffix(".journal")
    record = json.dumps({"kind": "begin", "op": "update", "resource": sandbox.resources()["a"]})
    journal.write_text(f"{record}\n{record[:50]}", encoding="utf-8")
    assert "2 unchanged" in sandbox.up("--skip-preview")
    assert not journal.exists() and sandbox.volumes() == ["a"]
    for text in (f"{record[:50]}\n{record}\n", f"3\n{record}\n", f'{{"kind":"done"}}\n{record}\n'):
        journal.write_text(text, encoding="utf-8")
        output = sandbox.up("--skip-preview", status=1)
        assert f"journal {journal} is damaged at line 1" in output and "move the file away" in output
        assert journal.read_text(encoding="utf-8") == text
    journal.unlink()


def test_files_that_cannot_be_used_are_named(sandbox, tmp_path):
    sandbox.write(volume("a"))
    nowhere = str(tmp_path / "none" / "x")
    assert f"cannot use {nowhere}: No such file" in sandbox.run(
        "stack", "import", "-s", "dev", "--file", nowhere, status=1
    )
    assert f"cannot use {nowhere}: No such file" in sandbox.up("--skip-preview", "--event-log", nowhere, status=1)
    output = sandbox.run("stack", "export", "-s", "dev", "--file", str(tmp_path), status=1)
    assert f"cannot write {tmp_path}: " in output
    (tmp_path / "file").write_text("", encoding="utf-8")
    output = sandbox.run("stack", "init", "x", status=1, PULUMI_BACKEND_URL=f"file://{tmp_path}/file")
    assert "Not a directory" in output
    assert sandbox.volumes() == []


def test_targets_that_do_not_exist_are_told(sandbox):
    sandbox.write(volume("a"))
    output = sandbox.up("--skip-preview", "--target", "urn:none", status=1)
    assert "Target 'urn:none' could not be found in the stack" in output
    assert sandbox.volumes() == []
    assert "no config path" in sandbox.run("config", "set", "--path", "a[", "1", "-s", "dev", status=2)


OTHERS = {
    "config": (
        "docker.ServiceConfig('s', name=f'{P}-s', data='eA==')",
        lambda api, name: api.create_config(name, b"y"),
    ),
    "secret": ("docker.Secret('s', name=f'{P}-s', data='eA==')", lambda api, name: api.create_secret(name, b"y")),
    "container": (
        "docker.Container('s', name=f'{P}-s', image='conformance/base:1', command=['sleep', '60'])",
        lambda api, name: api.create_container("conformance/base:1", ["true"], name=name),
    ),
    "service": (
        "docker.Service('s', name=f'{P}-s', task_spec={'container_spec': {'image': 'conformance/base:1'}})",
        lambda api, name: api.create_service(
            {"ContainerSpec": {"Image": "conformance/base:1", "Command": ["sleep", "60"]}}, name=name
        ),
    ),
}


@pytest.mark.parametrize("kind", sorted(OTHERS))
def test_names_that_are_taken_by_another_are_refused(sandbox, kind):
    image.ensure()
    body, make = OTHERS[kind]
    make(client(), f"{sandbox.prefix}-s")
    sandbox.write(body + "\n")
    for _ in range(2):
        output = sandbox.up("--skip-preview", status=1)
        assert "already in use" in output or "already exists" in output
    assert "s" not in sandbox.resources()
