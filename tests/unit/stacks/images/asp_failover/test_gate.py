"""The gate lets the fencer's own calls about its cell's nodes through to the engine, and nothing else."""

from __future__ import annotations

import http.server
import json
import re
import socketserver
import threading
from urllib.parse import quote

import pytest
from asp_failover import gate
from asp_failover.allowed import Refused, Rules
from asp_failover.engine import LISTED_STATES, PROCESSES, SERVICE_LABEL, Engine, EngineFault

NODE, OTHER_NODE, STRANGER = "asp-x-baz1-postgres-1", "asp-x-baz1-postgres-2", "asp-x-edge"
NETWORK = "asp-x-baz1-data"
OWN, FOREIGN, GONE, NOBODYS = "a" * 64, "b" * 64, "c" * 64, "d" * 64
OWN_NETWORK, FOREIGN_NETWORK = "n" * 25, "m" * 25
OWN_SERVICE, FOREIGN_SERVICE = "s" * 25, "t" * 25


class Daemon(http.server.BaseHTTPRequestHandler):
    """An engine with a container of the cell and one of the edge; keeps what would change anything."""

    changes: list[str] = []
    reads: list[str] = []

    def do_GET(self):
        self.reads.append(self.path)
        path = self.path.split("?")[0]
        if match := re.fullmatch(r"/containers/(\w+)/json", path):
            service = {OWN: NODE, FOREIGN: STRANGER}.get(match[1])
            labels = {SERVICE_LABEL: service} if service else None
            content = {"Config": {"Labels": labels}, "NetworkSettings": {"Networks": {"n": {}}}}
            return self.reply(404 if match[1] == GONE else 200, content)
        names = {OWN_SERVICE: NODE, FOREIGN_SERVICE: STRANGER, NODE: NODE}
        if match := re.fullmatch(r"/services/([\w-]+)", path):
            return self.reply(200, service_spec(names[match[1]], OWN_SERVICE if match[1] == NODE else match[1]))
        networks = {f"/networks/{OWN_NETWORK}": NETWORK, f"/networks/{FOREIGN_NETWORK}": "asp-x-pki"}
        if path in networks:
            return self.reply(200, {"Name": networks[path], "Containers": {OWN: {}}})
        answers = {
            "/info": {"Swarm": {"NodeID": "here"}, "Name": "a-machine"},
            "/containers/json": [{"Id": OWN}],
            f"/containers/{OWN}/top": {"Processes": [["1", "S"]]},
            "/tasks": [{"ID": "task"}],
        }
        self.reply(200, answers[path])

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.changes.append(f"{self.path} {body.decode()}".strip())
        if "/kill" not in self.path:
            return self.reply(200, {})
        self.send_response(204)
        self.end_headers()

    def reply(self, status, content):
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        return super().get_request()[0], ("client", 0)


def service_spec(name, identity=OWN_SERVICE, **mounts):
    container = {"Image": "sha256:1", **mounts}
    spec = {"Name": name, "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": {"ContainerSpec": container}}
    return {"ID": identity, "Version": {"Index": 7}, "Spec": spec}


@pytest.fixture
def fencer(tmp_path):
    """The fencer's own view of an engine, through a gate."""
    Daemon.changes, Daemon.reads = [], []
    daemon = Listener(str(tmp_path / "docker.sock"), Daemon)
    rules = Rules([NODE, OTHER_NODE], NETWORK, Engine(str(tmp_path / "docker.sock")))
    door = gate.Gate(tmp_path / "engine.sock", rules)
    for server in (daemon, door):
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Engine(str(tmp_path / "engine.sock"))
    for server in (door, daemon):
        server.shutdown()
        server.server_close()


def test_every_call_of_the_fencer_goes_through(fencer):
    assert fencer.node() == "here"
    assert fencer.containers(NODE) == [{"Id": OWN}]
    assert fencer.inspect(OWN)["Config"]["Labels"] == {SERVICE_LABEL: NODE}
    assert fencer.inspect(GONE) is None
    assert fencer.halted(OWN) is None
    assert fencer.endpoints(OWN_NETWORK) == {OWN}
    assert fencer.tasks(NODE) == [{"ID": "task"}]
    assert fencer.service(NODE)["Version"]["Index"] == 7
    fencer.kill(OWN)
    fencer.cut(OWN, OWN_NETWORK)
    assert fencer.scale(NODE, 0) == 1
    kill, cut, scale = Daemon.changes
    assert kill == f"/containers/{OWN}/kill?signal=KILL"
    assert cut == f"/networks/{OWN_NETWORK}/disconnect " + json.dumps({"Container": OWN, "Force": True})
    assert scale.startswith(f"/services/{OWN_SERVICE}/update?version=7 ") and '"Replicas": 0' in scale


def filters(**values):
    return quote(json.dumps(values))


SPEC = service_spec(NODE)["Spec"]
ROOT_MOUNT = service_spec(NODE, Mounts=[{"Type": "bind", "Source": "/", "Target": "/machine"}])["Spec"]
MANY = {**SPEC, "Mode": {"Replicated": {"Replicas": 50}}}
TRUE = {**SPEC, "Mode": {"Replicated": {"Replicas": True}}}
RUNNING_TASKS = filters(service=[NODE], **{"desired-state": LISTED_STATES})
REFUSED = [
    ("POST", "/containers/create", {"Image": "x"}, "no call of the fencer's"),
    ("POST", "/v1.41/containers/create", {"Image": "x"}, "no call of the fencer's"),
    ("POST", f"/containers/{OWN}/exec", {"Cmd": ["id"]}, "no call of the fencer's"),
    ("POST", f"/containers/{OWN}/update", {"Memory": 0}, "no call of the fencer's"),
    ("POST", f"/containers/{OWN}/../{FOREIGN}/kill", None, "no call of the fencer's"),
    ("POST", f"/containers/{FOREIGN}/kill?signal=KILL", None, f"of {STRANGER}"),
    ("GET", f"/containers/{FOREIGN}/json", None, f"of {STRANGER}"),
    ("GET", f"/containers/{NOBODYS}/json", None, "of no service"),
    ("POST", f"/containers/{NOBODYS}/kill?signal=KILL", None, "of no service"),
    ("GET", f"/containers/{OWN}/archive?path=/etc", None, "no call of the fencer's"),
    ("GET", "/containers/json?all=1", None, "filters ''"),
    (
        "GET",
        f"/containers/json?filters={filters(label=[f'{SERVICE_LABEL}={STRANGER}'])}",
        None,
        "containers with labels",
    ),
    ("GET", f"/networks/{FOREIGN_NETWORK}", None, "network asp-x-pki"),
    ("POST", f"/networks/{FOREIGN_NETWORK}/disconnect", {"Container": OWN, "Force": True}, "network asp-x-pki"),
    ("POST", f"/networks/{OWN_NETWORK}/disconnect", {"Container": FOREIGN}, f"of {STRANGER}"),
    ("POST", f"/networks/{OWN_NETWORK}/disconnect", {"Container": "../x"}, "wanted a container's id"),
    ("POST", f"/networks/{OWN_NETWORK}/connect", {"Container": OWN}, "no call of the fencer's"),
    ("GET", f"/services/{STRANGER}", None, f"service {STRANGER}"),
    ("POST", f"/services/{FOREIGN_SERVICE}/update?version=7", service_spec(STRANGER)["Spec"], f"service {STRANGER}"),
    ("POST", f"/services/{OWN_SERVICE}/update?version=7", ROOT_MOUNT, "more would change"),
    ("POST", f"/services/{OWN_SERVICE}/update?version=7", MANY, "more would change"),
    ("POST", f"/services/{OWN_SERVICE}/update?version=7", TRUE, "more would change"),
    ("POST", f"/services/{OWN_SERVICE}/update?version=7&rollback=previous", SPEC, "wanted a version in figures"),
    ("POST", f"/services/{OWN_SERVICE}/update?version=7", None, "wanted its specification"),
    ("GET", "/tasks", None, "filters ''"),
    ("GET", f"/tasks?filters={filters(service=[STRANGER])}", None, "tasks of"),
    ("GET", f"/tasks?filters={filters(service=[NODE])}", None, "tasks of"),  # also those that have ended
    ("GET", f"/tasks/abc/logs?filters={RUNNING_TASKS}", None, "no call of the fencer's"),
    ("GET", "/secrets", None, "no call of the fencer's"),
    ("GET", "/swarm/unlockkey", None, "no call of the fencer's"),
    ("DELETE", f"/services/{OWN_SERVICE}", None, "501"),
]


@pytest.mark.parametrize(("method", "path", "body", "reason"), REFUSED)
def test_whoever_takes_the_fencer_can_ask_the_engine_for_nothing_else(fencer, method, path, body, reason):
    with pytest.raises(EngineFault, match=re.escape(reason)):
        fencer.call(method, path, body)
    assert Daemon.changes == []


def test_what_is_done_to_a_container_is_what_the_gate_says_not_the_caller(fencer):
    fencer.call("POST", f"/containers/{OWN}/kill?signal=STOP", None)
    fencer.call("GET", f"/containers/{OWN}/top?ps_args=-eo%20pid,args", None)
    assert Daemon.changes == [f"/containers/{OWN}/kill?signal=KILL"]
    assert f"/containers/{OWN}/top?ps_args={PROCESSES}" in Daemon.reads
    assert not [path for path in Daemon.reads if "args=-eo%20pid,args" in path]


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": str(gate.BODY_LIMIT + 1)}, {"Content-Length": "-1"}, {"Transfer-Encoding": "chunked"}],
)
def test_a_body_that_is_too_long_or_of_no_length_is_refused_unread(headers):
    handler = object.__new__(gate.Handler)
    handler.headers = headers
    handler.rfile = None
    with pytest.raises(Refused, match="wanted at most 1048576, of a length that is said"):
        handler._body()


def test_more_than_the_identity_of_the_machine_is_not_told(fencer):
    assert fencer.call("GET", "/info") == {"Swarm": {"NodeID": "here"}}


def test_the_socket_of_a_former_gate_is_replaced(tmp_path):
    for _ in range(2):
        gate.Gate(tmp_path / "engine.sock", Rules([], "", Engine())).server_close()
