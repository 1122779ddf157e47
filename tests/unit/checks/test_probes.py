"""Probes tell what they saw, and say so when they saw nothing: no half answer becomes a fact."""

from __future__ import annotations

import http.server
import ssl
import threading
from types import SimpleNamespace

import pytest

from centre.isolation.signin import Attempt
from centre.reach.runtime import RuntimeFault, Unreachable
from checks.probes import hosting, parts, tenant
from checks.probes.https import Edge
from inventory.vault import certificates
from tests.unit.checks import support


def fail(error):
    raise error


def test_a_part_that_fails_hides_no_other():
    result = parts.gather(
        {
            "good": lambda: {"value": 1},
            "gone": lambda: fail(Unreachable("service x:\n no task")),
            "nonsense": lambda: fail(RuntimeFault("exited with 1")),
            "shape": lambda: {}["missing"],
        }
    )
    assert result == {
        "good": {"value": 1},
        "gone": {"unreachable": "service x: no task"},
        "nonsense": {"fault": "exited with 1"},
        "shape": {"fault": "'missing'"},
    }


def test_a_programming_error_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        parts.gather({"wrong": lambda: 1 // 0})


def test_sections_of_a_failed_part_all_say_why():
    assert parts.per_section({"a": 1, "b": 2}, "a", "b") == {"a": 1, "b": 2}
    assert parts.per_section({"fault": "x"}, "a", "b") == {"a": {"fault": "x"}, "b": {"fault": "x"}}


# What runs on the daemon


class Daemon:
    """Just enough of the Docker API: every service of the register runs and is healthy."""

    def __init__(self, register, municipality):
        from checks.expectations import hosting_services, network_members, published_ports

        members, ports = network_members(register), published_ports(register)
        self.specs, self.running, self.listed = [], [], []
        for number, name in enumerate(hosting_services(register, municipality)):
            published = [{"PublishedPort": port} for port in ports.get(name, [])]
            container = {"User": "10001:10001", "ReadOnly": True, "CapabilityDrop": ["ALL"], "Image": "sha256:1"}
            self.specs.append(
                {
                    "ID": f"s{number}",
                    "Spec": {
                        "Name": name,
                        "Mode": {"Replicated": {"Replicas": 1}},
                        "TaskTemplate": {
                            "ContainerSpec": container,
                            "Resources": {"Limits": {"MemoryBytes": 256 * 1024 * 1024}},
                        },
                    },
                    "Endpoint": {"Ports": published},
                }
            )
            self.running.append({"ServiceID": f"s{number}", "Status": {"State": "running"}})
            on = {network: {} for network, services in members.items() if name in services}
            self.listed.append(container_of(name, on))

    def services(self):
        return self.specs

    def tasks(self, filters):
        assert filters == {"desired-state": "running"}
        return self.running

    def containers(self):
        return self.listed


def container_of(name, networks, service=True, status="Up 2 minutes (healthy)", ports=()):
    return {
        "Labels": {hosting.SERVICE_LABEL: name} if service else {},
        "Names": [f"/{name}"],
        "Status": status,
        "NetworkSettings": {"Networks": networks},
        "Ports": [{"PublicPort": port} for port in ports],
    }


@pytest.fixture
def daemon(monkeypatch):
    register = support.register()
    daemon = Daemon(register, register.municipality("16054"))
    client = SimpleNamespace(api=daemon)
    monkeypatch.setattr(hosting, "Runtime", lambda register: SimpleNamespace(client=client, daemons=lambda: [client]))
    return daemon


def look():
    register = support.register()
    return hosting.hosting(register, register.municipality("16054"))


def verdict_of(check, facts):
    """The check's verdict on the good recording with these sections in place."""
    recording = support.good()
    support.document(recording, "centre")["data"].update(facts)
    return support.verdicts(recording)[check]


def test_a_sound_daemon_passes(daemon):
    result = look()
    assert result["services"]["asp-dev-edge"]["confinement"]["memory_mib"] == 256
    for check in ("services.running", "services.confined", "networks.separate", "networks.ports"):
        assert verdict_of(f"centre.{check}", result) == ("PASS", "")


def test_a_service_that_was_never_made_is_seen(daemon):
    daemon.specs = [item for item in daemon.specs if item["Spec"]["Name"] != "asp-dev-pki"]
    assert verdict_of("centre.services.running", look()) == ("FAIL", "asp-dev-pki nem fut")
    assert verdict_of("centre.services.confined", look())[0] == "NO-DATA"


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 3 seconds (health: starting)", "starting"),
        ("Up 1 hour (unhealthy)", "unhealthy"),
        ("Up 1 hour", "unchecked"),
    ],
)
def test_what_is_not_healthy_is_told(daemon, status, health):
    daemon.listed[0]["Status"] = status
    assert verdict_of("centre.services.running", look()) == ("FAIL", f"asp-dev-edge nem egészséges ({health})")


def test_the_worst_of_two_tasks_counts(daemon):
    daemon.listed.append(container_of("asp-dev-edge", {}, status="Up 1 second (health: starting)"))
    assert look()["services"]["asp-dev-edge"]["health"] == "starting"


def test_a_stranger_on_a_network_is_named(daemon):
    daemon.listed.append(container_of("curious", {"asp-dev-baz1-data": {}}, service=False))
    verdict, message = verdict_of("centre.networks.separate", look())
    assert verdict == "FAIL" and "curious a(z) asp-dev-baz1-data hálózaton" in message


def test_a_port_published_by_hand_is_named(daemon):
    daemon.listed.append(container_of("asp-dev-helper", {}, service=False, ports=[5432]))
    verdict, message = verdict_of("centre.networks.ports", look())
    assert verdict == "FAIL" and "asp-dev-helper: 5432" in message


def test_containers_of_another_machine_are_looked_at(daemon, monkeypatch):
    helper = container_of("asp-dev-helper", {}, service=False, ports=[5432])
    other = SimpleNamespace(api=SimpleNamespace(containers=lambda: [helper]))
    runtime = SimpleNamespace(client=SimpleNamespace(api=daemon))
    runtime.daemons = lambda: [runtime.client, other]
    monkeypatch.setattr(hosting, "Runtime", lambda register: runtime)
    assert look()["published"]["asp-dev-helper"] == [5432]


# The edge from outside


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.send_header("Asp-Edge-Refusal", "ASP-EDGE-UNKNOWN-HOST")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def edge(tmp_path):
    """A server that accepts TLS 1.2 and newer for edge.test, and the probe of it."""
    root = certificates.root("unit")
    pair = certificates.leaf("edge.test", [], certificates.intermediate("unit", "internal", root))
    (tmp_path / "crt").write_text(pair.chain)
    (tmp_path / "key").write_text(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = SimpleNamespace(https=server.server_address[1], http=1)
    yield Edge(SimpleNamespace(environment=SimpleNamespace(ports=ports)), root.certificate)
    server.shutdown()
    server.server_close()


def test_a_refusal_is_read_with_its_code(edge):
    assert edge.get("edge.test", "/").as_dict() == {"status": 404, "code": "ASP-EDGE-UNKNOWN-HOST"}


def test_a_server_that_is_not_trusted_answers_nothing(edge):
    with pytest.raises(Unreachable, match="Hostname mismatch"):
        edge.get("other.test", "/")


def test_a_certificate_is_told_with_its_trust(edge):
    own, other = edge.certificate("edge.test"), edge.certificate("other.test")
    assert own["trusted"] and "edge.test" in own["names"]
    assert not other["trusted"] and "Hostname mismatch" in other["why_not"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (ssl.TLSVersion.TLSv1, "refused"), (ssl.TLSVersion.TLSv1_1, "refused"),
        (ssl.TLSVersion.TLSv1_2, "accepted"), (ssl.TLSVersion.TLSv1_3, "accepted"),
    ],
)  # fmt: skip
def test_versions_are_tried_one_by_one(edge, version, expected):
    assert edge.accepts("edge.test", version) == expected


def test_nobody_there_is_unreachable(edge):
    with pytest.raises(Unreachable, match="http://edge.test/"):
        edge.get_plain("edge.test", "/")


# Sign-ins


def attempt(user="", message=""):
    return Attempt("t16054_irat", user, "t16054" if user else "", message)


def test_a_refusal_is_the_servers_own_word():
    message = 'FATAL:  permission denied for database "t16054"\nDETAIL:  User does not have CONNECT privilege.'
    facts = tenant._attempt(attempt(message=message))
    assert (facts["user"], facts["message"]) == ("", " ".join(message.split()))


@pytest.mark.parametrize(
    "message",
    ["", "could not connect to server", "timeout expired", "Connection refused", 'could not translate host name "x"'],
)
def test_silence_is_no_refusal(message):
    with pytest.raises(Unreachable, match="sign-in of t16054_irat"):
        tenant._attempt(attempt(message=message))


def test_a_sign_in_that_worked_is_told():
    assert tenant._attempt(attempt(user="t16054_irat"))["user"] == "t16054_irat"
