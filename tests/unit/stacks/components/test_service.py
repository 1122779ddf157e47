"""Every service is built alike: hardened, waited for, its files named by their content."""

import asyncio
import base64
import os
import subprocess

import pulumi
import pytest

from inventory import paths, placement
from inventory.register import load
from inventory.vault import vault


class Recorder(pulumi.runtime.Mocks):
    """Pulumi's own test monitor: keeps what was registered, gives every resource an id."""

    def __init__(self):
        self.resources = {}

    def new_resource(self, args):
        self.resources[args.typ, args.name] = args.inputs
        return f"{args.name}-id", {**args.inputs, "imageId": "sha256:0"}

    def call(self, args):
        return {}


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Builds one service with the factory and returns what Pulumi was asked to register."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    register = load("test")
    secrets, _ = vault.ensure(register)
    recorder = Recorder()
    # Whoever ran a loop before left none, and Pulumi's SDK asks for the main thread's when it is given mocks.
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(recorder, project="edge", stack="test")
    from stacks.components import context, service

    monkeypatch.setattr(context.Context, "image", lambda self, name: pulumi.Output.from_input("sha256:0"))
    monkeypatch.setattr(context.Context, "network", lambda self, name: pulumi.Output.from_input(f"{name}-id"))
    ctx = context.Context("edge", register, secrets, None)

    def run(make=None, **changes):
        options = {
            "image": "edge",
            "networks": ["asp-test-pki"],
            "health": service.Health(["true"]),
            "user": "10001",
            "memory": 64,
            "place": placement.edge(register.environment),
            **changes,
        }

        @pulumi.runtime.test
        def register_it():
            if make:
                return make(ctx).name
            return service.SwarmService(ctx, register.names.edge, service.ServiceArgs(**options)).service.id

        register_it()
        return recorder.resources

    return run


def test_a_service_is_hardened(build):
    spec = build()["docker:index/service:Service", "edge"]
    container = spec["taskSpec"]["containerSpec"]
    assert container["readOnly"] is True and container["capDrops"] == ["ALL"]
    assert container["user"] == "10001"
    assert spec["taskSpec"]["resources"]["limits"]["memoryBytes"] == 64 * 1024 * 1024
    assert spec["endpointSpec"]["mode"] == "dnsrr"
    assert spec["convergeConfig"]["timeout"]
    assert spec["taskSpec"]["logDriver"] == {"name": "local", "options": {"max-file": "5", "max-size": "20m"}}


def test_what_the_daemon_reads_back_otherwise_is_not_asked_for(build):
    """Pulumi's provider reads tmpfs modes back without the sticky bit and a missing window as 0s: each would be a
    change, and a restart, at every `up --refresh`."""
    task = build(tmpfs={"/run": 1})["docker:index/service:Service", "edge"]["taskSpec"]
    (mount,) = task["containerSpec"]["mounts"]
    assert mount == {"target": "/run", "type": "tmpfs", "tmpfsOptions": {"sizeBytes": 1024 * 1024}}
    assert task["restartPolicy"] == {"condition": "any", "delay": "1s", "window": "0s"}


def test_no_node_is_ended_while_it_recovers(build):
    from stacks.components import postgres_node
    from stacks.configs import postgres

    login = postgres.Login("keycloak", "keycloak", "a-password-0123456789")
    name = "asp-test-identity-db"
    args = postgres_node.SingleNodeArgs("asp-test-identity-db", login)
    resources = build(make=lambda ctx: postgres_node.PostgresNode(ctx, name, args, placement.central(ctx.environment)))
    container = resources["docker:index/service:Service", "identity-db"]["taskSpec"]["containerSpec"]
    assert container["healthcheck"]["startPeriod"] == "6h"


UP = 5000  # seconds since the machine of these tests started


@pytest.fixture
def ask(tmp_path):
    """`ask(age, question)`: the health check of a container whose first process has run for so many seconds.

    What the kernel says of the two stands in files of the test, so that nobody waits for a real process to age.
    """
    from stacks.components.service import PACE

    def run(age, question):
        (tmp_path / "1").mkdir()
        (tmp_path / "uptime").write_text(f"{UP}.31 9876.54\n", encoding="ascii")
        fields = ["1", "(docker-init)", "S", *["0"] * 18, f"{(UP - age) * os.sysconf('SC_CLK_TCK')}", "0"]
        (tmp_path / "1" / "stat").write_text(" ".join(fields), encoding="ascii")
        script = PACE.replace("/proc/", f"{tmp_path}/")
        assert script.count(str(tmp_path)) == PACE.count("/proc/") == 3
        pause, patience, longest = "1", "1", "30"
        argv = ["sh", "-c", script, "health", pause, patience, longest, "sh", "-c", question]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, cwd=tmp_path)

    return run


ANSWERS = [("echo asked", 0), ("echo asked; exit 3", 3), ("echo asked; sleep 9", 124)]


@pytest.mark.parametrize("age", [60, 4000])
@pytest.mark.parametrize(("question", "code"), ANSWERS)
def test_an_old_container_is_asked_once_and_not_waited_for(ask, age, question, code):
    process = ask(age, question)
    assert (process.returncode, process.stdout, process.stderr) == (code, "asked\n", "")


@pytest.mark.parametrize("age", [0, 59])
def test_a_young_container_is_asked_again_until_it_answers(ask, age):
    process = ask(age, "echo asked; test -e answered || { touch answered; exit 3; }")
    assert (process.returncode, process.stdout, process.stderr) == (0, "asked\nasked\n", "")


@pytest.mark.parametrize(("seconds", "code"), [(29, 0), (30, 1)])
def test_a_young_container_that_does_not_answer_is_given_up_in_time(ask, seconds, code):
    """The first question takes so many seconds of the machine's clock, and the second would be answered."""
    process = ask(0, f"test -e answered || {{ touch answered; echo {UP + seconds}.99 0 > uptime; exit 3; }}")
    assert (process.returncode, process.stderr) == (code, "")


def test_private_key_is_a_secret_of_its_service_only(build):
    resources = build()
    container = resources["docker:index/service:Service", "edge"]["taskSpec"]["containerSpec"]
    key = next(item for item in container["secrets"] if item["fileName"] == "/run/secrets/tls.key")
    assert key["fileMode"] == 0o400 and key["fileUid"] == "10001"
    configs = [inputs for (kind, _), inputs in resources.items() if kind.endswith(":ServiceConfig")]
    assert not [c for c in configs if b"PRIVATE KEY" in base64.b64decode(c["data"])]


def test_changed_content_is_a_new_name_within_swarms_limit(build):
    from stacks.components.service import File

    path = "/etc/haproxy/a-rather-long-file-name-of-a-configuration.cfg"
    build(files={path: File("one")})
    names = build(files={path: File("two")})
    configs = {name for kind, name in names if kind.endswith(":ServiceConfig") and "rather" in name}
    assert len(configs) == 2
    physical = [inputs["name"] for (kind, _), inputs in names.items() if kind.endswith(":ServiceConfig")]
    assert max(len(name) for name in physical) <= 64 and len(set(physical)) == len(physical)


def test_a_published_port_is_updated_stop_first(build):
    spec = build(ports={10443: 8443})["docker:index/service:Service", "edge"]
    assert spec["updateConfig"]["order"] == "stop-first"
    assert spec["endpointSpec"]["ports"][0]["publishMode"] == "host"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (5, "5s"), (60, "1m"), (90, "1m30s"), (3600, "1h")])
def test_durations_are_written_as_they_are_read_back(seconds, text):
    from stacks.components.service import _duration

    assert _duration(seconds) == text
