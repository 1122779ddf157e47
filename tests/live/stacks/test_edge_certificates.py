"""The edge takes certificates, tenants and revocations while it runs: no new worker, no connection lost, killed or not.

It runs alone in a container of its image (tests/support/edge_alone.py), with HAProxy and the control program as they
are; the environment's own edge stays as it is.
"""

import shutil
import tempfile
import time
from pathlib import Path

import pytest

from inventory.vault import certificates
from tests.support.edge_alone import EdgeAlone, ask
from tests.support.polling import poll

DOMAIN, MANY = "asp.test", 500
HOSTS = [f"h{number}.{DOMAIN}" for number in range(MANY)]
FEW, NEW = HOSTS[:3], f"uj.{DOMAIN}"
OWN = "edge"  # whose certificate a host without one gets
COMMANDS_OF_A_JOIN, COMMANDS_OF_A_LEAVE, COMMANDS_OF_A_LIST = 5, 3, 2


@pytest.fixture
def folder():
    path = Path(tempfile.mkdtemp(prefix="asp-edge-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def edge(register, folder):
    with EdgeAlone(register, folder, FEW) as edge:
        yield edge


@pytest.fixture
def full(register, folder):
    with EdgeAlone(register, folder, HOSTS) as edge:
        yield edge


@pytest.fixture
def unchanged():
    """Proves at the end of a block that the same worker serves and a connection from before still does."""

    class Unchanged:
        def __init__(self, edge):
            self.edge = edge

        def __enter__(self):
            self.worker, self.connection = self.edge.worker(), self.edge.visit(HOSTS[0])
            assert ask(self.connection, HOSTS[0]) == "NO-CERTIFICATE"

        def __exit__(self, kind, *_):
            with self.connection:
                if kind is None:
                    assert self.edge.worker() == self.worker
                    assert ask(self.connection, HOSTS[0]) == "NO-CERTIFICATE"

    return Unchanged


def succeed(result, *log):
    """The call went well, and its log says this much."""
    code, out, err = result
    assert code == 0, err
    assert len(err.splitlines()) == len(log), err
    for line, part in zip(err.splitlines(), log, strict=True):
        assert part in line
    return out


def assert_open(edge, host, serial=None):
    name, number = edge.certificate_of(host)
    assert name == host
    assert serial in (None, number)
    assert edge.refusal(host) == "NO-CERTIFICATE"


def assert_closed(edge, host):
    assert edge.certificate_of(host)[0] == OWN
    assert edge.refusal(host) == "UNKNOWN-HOST"


def serial_of(pem):
    certificate = certificates.x509.load_pem_x509_certificate(pem.encode())
    return f"{certificate.serial_number:X}".zfill(2 * ((certificate.serial_number.bit_length() + 7) // 8))


def state(edge):
    """What HAProxy holds: certificates, their serial numbers, tenants, revocations."""
    names, *tables = edge.haproxy(
        "@1 show ssl crt-list /data/certs",
        *(f"@1 show map /data/{table}" for table in ("maps/tenants.map", "crl/until.map")),
        "@1 show acl /data/crl/revoked.lst",
    )
    certificates = sorted(names.split())
    texts = edge.haproxy(*(f"@1 show ssl cert {name}" for name in certificates if name.endswith(".pem")))
    serials = [line for text in texts for line in text.splitlines() if line.startswith("Serial")]
    assert len(serials) == len(texts) > 0
    entries = [sorted(line.split(" ", 1)[1] for line in table.splitlines() if line) for table in tables]
    names_loaded = sorted(edge.haproxy("@1 show ssl cert")[0].split())
    return certificates, serials, entries, names_loaded


def assert_same_after_a_reload(edge):
    before = state(edge)
    assert "Success=1" in edge.haproxy("reload")[0]
    assert state(edge) == before


def test_one_of_five_hundred_joins_and_leaves_without_a_new_worker(full, unchanged):
    assert_closed(full, NEW)
    with unchanged(full):
        succeed(full.join(NEW))
        assert_open(full, NEW)
        assert_open(full, HOSTS[-1])
    assert_same_after_a_reload(full)
    with unchanged(full):
        succeed(full.call("apply", {"absent": [NEW]}))
        assert_closed(full, NEW)
        assert_open(full, HOSTS[-1])
    assert_same_after_a_reload(full)


def test_the_first_municipality_of_an_environment_joins_without_a_new_worker(register, folder):
    with EdgeAlone(register, folder, []) as edge:
        worker = edge.worker()
        succeed(edge.join(NEW))
        assert_open(edge, NEW)
        assert edge.worker() == worker


def test_a_renewed_certificate_is_served_to_new_connections(edge, unchanged):
    pem = edge.pem(FEW[1])
    with unchanged(edge):
        succeed(edge.join(FEW[1], pem))
        assert_open(edge, FEW[1], serial_of(pem))
    assert_same_after_a_reload(edge)


def test_a_municipality_that_moved_is_sent_to_its_new_cell(edge, unchanged):
    with unchanged(edge):
        succeed(edge.call("apply", {"present": [{"host": FEW[1], "ksh": "16054", "cell": "baz2"}]}))
    assert f"{FEW[1]} 16054:baz2" in state(edge)[2][0]
    assert_same_after_a_reload(edge)


def test_whoever_joined_is_there_after_the_edge_died(edge):
    succeed(edge.join(NEW))
    edge.container.kill()
    edge.start()
    assert_open(edge, NEW)


def test_a_revoked_certificate_is_refused_at_once_on_open_connections_too(edge, unchanged):
    file, serial = edge.clerk("t16054")
    edge.publish()
    succeed(edge.call("refresh"))
    with unchanged(edge), edge.visit(FEW[0], file) as connection:
        assert ask(connection, FEW[0]) == "UNAVAILABLE", "let in, though no app server runs here"
        edge.publish(serial, minutes=90)
        succeed(edge.call("refresh"))
        assert ask(connection, FEW[0]) == "CERTIFICATE-REVOKED"
        assert edge.refusal(FEW[0], certificate=file) == "CERTIFICATE-REVOKED"
    assert_same_after_a_reload(edge)


def test_a_worker_that_is_ending_refuses_what_is_revoked_too(edge):
    file, serial = edge.clerk("t16054")
    edge.publish()
    succeed(edge.call("refresh"))
    with edge.visit(FEW[0], file) as connection:
        head = f"GET /keret/ HTTP/1.1\r\nHost: {FEW[0]}\r\n"
        connection.sendall(head.encode())  # not whole: the worker waits for the rest
        assert "Success=1" in edge.haproxy("reload")[0]
        edge.publish(serial)
        succeed(edge.call("refresh"))
        connection.sendall(b"\r\n")
        assert b"CERTIFICATE-REVOKED" in connection.recv(4096)


@pytest.mark.parametrize("damage", ["torn", "of another authority", "not a list"])
def test_a_damaged_list_is_refused_and_the_former_stays(edge, unchanged, damage):
    file, serial = edge.clerk("t16054")
    edge.publish(serial)
    succeed(edge.call("refresh"))
    before, published = state(edge), edge.folder / "list.der"
    with unchanged(edge):
        if damage == "torn":
            published.write_bytes(published.read_bytes()[:-40])
        elif damage == "not a list":
            published.write_bytes(b"<html>")
        else:
            edge.publish(issuer=certificates.intermediate("other", "issuing", certificates.root("other")))
        code, _, err = edge.call("refresh")
        assert (code, "openssl crl" in err) == (1, True), err
        assert state(edge) == before
        assert edge.refusal(FEW[0], certificate=file) == "CERTIFICATE-REVOKED"


@pytest.mark.parametrize("after", range(COMMANDS_OF_A_JOIN + 1))
def test_a_join_that_was_killed_is_completed_by_the_next(edge, after):
    pem = edge.pem(NEW)
    code, *_ = edge.join(NEW, pem, ASP_KILLED_AFTER=str(after))
    assert (code == 0) is (after == COMMANDS_OF_A_JOIN)
    log = ["HAProxy reloads"] if code else []
    succeed(edge.call("apply", {"present": [{"host": NEW, "ksh": "16054", "cell": "baz1"}]}), *log)
    assert_open(edge, NEW, serial_of(pem))
    assert_same_after_a_reload(edge)
    succeed(edge.join(FEW[2]))  # no transaction is left open


@pytest.mark.parametrize("after", range(COMMANDS_OF_A_LEAVE))
def test_a_leave_that_was_killed_is_completed_by_the_next(edge, after):
    code, *_ = edge.call("apply", {"absent": [FEW[1]]}, ASP_KILLED_AFTER=str(after))
    assert code != 0
    assert edge.certificate_of(FEW[1])[0] in (FEW[1], OWN)
    succeed(edge.call("apply", {"absent": [FEW[1]]}), "HAProxy reloads")
    assert_closed(edge, FEW[1])
    assert_same_after_a_reload(edge)


@pytest.mark.parametrize("after", range(COMMANDS_OF_A_LIST))
def test_a_list_whose_taking_was_killed_is_in_force_after_the_next(edge, after):
    file, serial = edge.clerk("t16054")
    edge.publish()
    succeed(edge.call("refresh"))
    edge.publish(serial, minutes=90)
    code, *_ = edge.call("refresh", ASP_KILLED_AFTER=str(after))
    assert code != 0
    succeed(edge.call("refresh"), "HAProxy reloads")
    assert edge.refusal(FEW[0], certificate=file) == "CERTIFICATE-REVOKED"
    assert_same_after_a_reload(edge)


def test_what_the_interface_refuses_a_reload_brings(edge):
    """Somebody began a change of another certificate by hand and left it open."""
    pem = edge.pem(FEW[0])
    assert "created" in edge.haproxy(f"@1 set ssl cert /data/certs/{FEW[0]}.pem <<\n{pem}\n")[0]
    worker = edge.worker()
    succeed(edge.join(NEW), "HAProxy reloads")
    assert_open(edge, NEW)
    assert edge.worker() != worker
    succeed(edge.join(f"masik.{DOMAIN}"))


def test_a_certificate_that_haproxy_refuses_leaves_everything_as_it_was(edge):
    before = state(edge)
    key = edge.pem(NEW).partition("-----BEGIN PRIVATE KEY")
    other = edge.pem(NEW).partition("-----BEGIN PRIVATE KEY")
    code, _, err = edge.join(NEW, other[0] + key[1] + key[2])
    assert code == 1
    assert "HAProxy refuses the configuration" in err
    assert state(edge) == before
    assert_closed(edge, NEW)
    succeed(edge.join(NEW))
    assert_open(edge, NEW)


def test_a_request_that_had_begun_is_answered_before_the_edge_ends(edge):
    head = f"POST /portal/ HTTP/1.1\r\nHost: {FEW[0]}\r\nContent-Length: 4\r\n\r\n"
    with edge.visit(FEW[0]) as connection, edge.visit(FEW[1]):
        connection.sendall(head.encode() + b"x=")
        poll(
            lambda: edge.haproxy("@1 show sess")[0],
            lambda sessions: " fe=https " in sessions,
            10,
            "the request has begun",
        )
        edge.container.kill(signal="SIGTERM")
        poll(edge.is_closed, bool, 10, "no new connection is taken")
        time.sleep(1)  # the edge looks five times whether anything is under way
        connection.sendall(b"1&")
        assert connection.recv(4096).startswith(b"HTTP/1.1 503"), "no app server runs here"
        assert edge.container.wait(timeout=5)["StatusCode"] == 0, "nobody waits for the idle connection"
