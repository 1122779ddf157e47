"""Bad input: one clear message, the CLI's exit status, state and daemon intact."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
import time

import pytest

from . import image
from .harness import client, volume


def test_a_program_that_raises(sandbox):
    sandbox.write(volume("a"))
    sandbox.up()
    before = sandbox.checkpoint.read_text(encoding="utf-8")
    sandbox.write(volume("a") + volume("b") + "raise ValueError('wrong cell')\n")
    said = sandbox.up(status=1)
    assert "ValueError: wrong cell" in said and "__main__.py\", line 7" in said
    assert "runpy" not in said and "stacks/engine" not in said
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
    said = sandbox.run("up", "-s", "prod", "--yes", status=6)
    assert "no stack named 'prod' found" in said and "known: dev" in said and "stack init prod" in said


def test_no_project_no_backend_no_stack(sandbox, tmp_path):
    assert "no Pulumi.yaml project file found" in sandbox.run("preview", "-C", str(tmp_path), status=2)
    assert "no backend: set PULUMI_BACKEND_URL" in sandbox.run("preview", status=2, PULUMI_BACKEND_URL="")
    (sandbox.state / ".pulumi" / "engine" / "sandbox.selected").unlink()
    assert "no stack selected" in sandbox.run("preview", status=6)


def test_a_corrupt_checkpoint(sandbox):
    sandbox.write(volume("a"))
    sandbox.up()
    sandbox.checkpoint.write_text('{"version": 3, "check', encoding="utf-8")
    said = sandbox.up(status=1)
    assert f"checkpoint {sandbox.checkpoint} is corrupt" in said and ".bak" in said
    assert sandbox.checkpoint.read_text(encoding="utf-8") == '{"version": 3, "check'
    sandbox.checkpoint.with_name("dev.json.bak").replace(sandbox.checkpoint)


def test_no_daemon(sandbox):
    sandbox.write(volume("a"))
    said = sandbox.up(status=1, DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert "Cannot connect to the Docker daemon at unix:///nonexistent/docker.sock" in said
    assert "Is the docker daemon running?" in said
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
    said = sandbox.up(status=1)
    assert "unable to pull image 127.0.0.1:1/eng-none:1" in said and "build or load it first" in said


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
    said = sandbox.up(status=1)
    assert "port is already allocated" in said and "Unable to start container" in said
    assert set(sandbox.resources()) == {"sandbox-dev", "default_5_2_0", "one"}
    assert [item["Names"] for item in client().containers(all=True, filters={"name": f"{sandbox.prefix}-two"})] == []
    sandbox.run("destroy", "-s", "dev", "--yes")


def test_a_name_that_is_taken_by_another(sandbox):
    client().create_network(f"{sandbox.prefix}-n")
    sandbox.write("docker.Network('n', name=f'{P}-n')\n")
    said = sandbox.up(status=1)
    assert f"network with name {sandbox.prefix}-n already exists" in said
    assert "n" not in sandbox.resources()


def test_what_is_not_covered_is_refused_before_anything_is_touched(sandbox):
    sandbox.write(volume("a") + "docker.Plugin('p', name='x/y')\n")
    said = sandbox.up(status=1)
    assert "resource type 'docker:index/plugin:Plugin' is not covered by the embedded engine" in said
    assert "PULUMI=pulumi" in said
    assert sandbox.volumes() == []
    sandbox.write(volume("a") + "docker.get_plugin(alias='x')\n")
    assert "function 'docker:index/getPlugin:getPlugin' is not covered" in sandbox.up(status=1)
    sandbox.write("pulumi.ComponentResource('a:b:C', 'c', remote=True)\n")
    assert "remote component 'a:b:C' is not covered" in sandbox.up(status=1)
    assert sandbox.volumes() == []


def test_unknown_and_wrongly_typed_fields_are_refused_by_path(sandbox):
    sandbox.write("docker.Network('n', name='x', ipam_configs=[{'subnet': '10.0.0.0/24', 'gatway': '10.0.0.1'}])\n")
    said = sandbox.up(status=1)
    assert "docker:index/network:Network resource 'n': property ipamConfigs[0].gatway no such field; known" in said
    sandbox.write("docker.Volume('v', name='x', labels='a=b')\n")
    assert "property labels is str 'a=b', wanted a list" in sandbox.up(status=1)


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
        said = sandbox.up(status=1)
        assert f"(pid {first.pid})" in said and "is currently locked by 1 lock(s)" in said
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
    said = sandbox.up("--skip-preview", status=1)
    assert "did not converge after 8s" in said and "Last task: failed: task: non-zero exit (3)" in said
    assert "no such cell" in said
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
    said = sandbox.up("--skip-preview", status=1)
    assert f"ValueError: no such cell: {sandbox.prefix}-a" in said
    assert time.monotonic() - began < 20
