"""The script that workstations run, run here against a server of our own: what it sees and what it never prints."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import sys
import threading

import pytest

from checks.probes import workstation
from inventory.vault import certificates


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the edge does: the clerk's own host, another one, the authority's list."""

    def do_GET(self):
        host, has_certificate = self.headers["Host"].split(":")[0], bool(self.connection.getpeercert())
        if not has_certificate:
            self.answer(403, {"Asp-Edge-Refusal": "ASP-EDGE-NO-CERTIFICATE"})
        elif host == "masik.test":
            self.answer(403, {"Asp-Edge-Refusal": "ASP-EDGE-TENANT-MISMATCH"})
        elif self.path == "/1.0/crl":
            self.answer(200, {}, b"list")
        else:
            self.answer(302, {"Location": "https://id.asp.test/auth?state=secret-state"})

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server with TLS and a folder with a clerk's certificate, as (question, folder)."""
    folder = tmp_path_factory.mktemp("station")
    root = certificates.root("unit")
    issuer = certificates.intermediate("unit", "internal", root)
    server_pair, clerk = certificates.leaf("localhost", ["masik.test"], issuer), certificates.leaf("clerk", [], issuer)
    files = {
        "root.crt": root.certificate, "server.crt": server_pair.chain, "server.key": server_pair.key,
        "clerk.crt": clerk.chain, "clerk.key": clerk.key, "policy.json": '{"PopupsBlocked": false}',
        "empty.crt": "",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "root.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    question = {
        "own": "localhost",
        "foreign": "masik.test",
        "authority": "localhost",
        "hosts": ["localhost", "nobody.invalid"],
        "port": server.server_address[1],
        "certificate": str(folder / "clerk.crt"),
        "key": str(folder / "clerk.key"),
        "bundle": str(folder / "root.crt"),
        "nss": {"chromium": str(folder / "no-store")},
        "policies": {"chromium": str(folder / "policy.json"), "firefox": str(folder / "none.json")},
        "browsers": {"chromium": [sys.executable, "--version"], "firefox": ["no-such-program"]},
    }
    yield question, folder
    server.shutdown()
    server.server_close()


def ask(question):
    process = subprocess.run(
        [sys.executable, "-"], input=workstation.payload(question), capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    clock, rest = process.stdout.splitlines()
    return json.loads(clock), json.loads(rest), process.stdout


@pytest.fixture(scope="module")
def reply(place):
    return ask(place[0])


def test_it_tells_the_clock_first(reply):
    assert set(reply[0]) == {"now"}


def test_it_looks_up_names_and_trusts_by_its_own_store(reply):
    facts = reply[1]
    assert facts["hosts"] == {"localhost": ["127.0.0.1"], "nobody.invalid": None}
    assert facts["tls"]["localhost"] == {"error": None, "version": "TLSv1.3"}
    assert "fault" in facts["tls"]["nobody.invalid"]


def test_an_untrusted_server_is_told_as_such(place):
    question, folder = place
    other = certificates.root("other")
    (folder / "other.crt").write_text(other.certificate)
    _, facts, _ = ask({**question, "bundle": str(folder / "other.crt")})
    assert facts["tls"]["localhost"]["error"] == "unable to get local issuer certificate"
    assert "fault" in facts["keret"]


def test_it_opens_keret_with_the_clerks_certificate(reply):
    keret = reply[1]["keret"]
    assert (keret["status"], keret["code"]) == (302, None)
    assert keret["location"] == "https://id.asp.test/auth", "a query may hold one-time values"
    assert keret["milliseconds"] > 0


def test_another_tenants_host_refuses_by_its_code(reply):
    foreign = reply[1]["foreign"]
    assert (foreign["host"], foreign["status"], foreign["code"]) == ("masik.test", 403, "ASP-EDGE-TENANT-MISMATCH")


def test_it_reads_files_stores_and_versions(reply):
    facts = reply[1]
    assert facts["crl"] == "bGlzdA=="
    assert facts["policies"] == {"chromium": '{"PopupsBlocked": false}', "firefox": None}
    assert facts["browsers"]["chromium"].startswith("3.") and facts["browsers"]["firefox"] is None
    assert facts["stores"]["chromium"] == {"personal": [], "authorities": []}
    assert len(facts["system_store"]) == 1


def test_the_certificate_is_read_whole(place, reply):
    certificate = workstation.certificate(reply[1]["certificate_pem"])
    assert certificate["subject"]["CN"] == ["clerk"]
    assert certificate["until"] > "2026" and len(certificate["sha256"]) == 64


def test_it_prints_no_key_and_no_query(place, reply):
    assert "PRIVATE KEY" not in reply[2]
    assert "secret-state" not in reply[2]
    key_lines = (place[1] / "clerk.key").read_text().splitlines()[1:-1]
    assert key_lines and not any(line in reply[2] for line in key_lines)


def test_a_missing_certificate_hides_nothing_else(place):
    _, facts, _ = ask({**place[0], "certificate": "/nonexistent.crt"})
    assert facts["certificate_pem"] is None
    assert "fault" in facts["keret"] and "fault" in facts["foreign"]
    assert facts["hosts"]["localhost"] == ["127.0.0.1"]
