"""What the edge's HAProxy says that it refuses."""

import itertools
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from centre.edge import revocation
from centre.reach.runtime import RuntimeFault
from inventory.register import load

REGISTER = SimpleNamespace(names=SimpleNamespace(edge="asp-x-edge"))


def answering(text):
    return SimpleNamespace(check=lambda service, argv: text)


def test_the_running_workers_list_counts():
    assert revocation.serials_at_edge(REGISTER, answering("0x7f5b7a629540 0A01\n0x7f5b7a6295b0 FF\n\n")) == {
        0xA01,
        0xFF,
    }
    assert revocation.serials_at_edge(REGISTER, answering("\n")) == set()


def test_an_answer_that_is_no_list_is_a_fault():
    with pytest.raises(RuntimeFault, match="seen: 'Unknown ACL identifier"):
        revocation.serials_at_edge(REGISTER, answering("Unknown ACL identifier. Please use #<id> or <file>.\n"))


def test_the_master_is_asked_again_while_it_reloads(tmp_path):
    """HAProxy's master refused connections for an instant after each new list: a run ended with a stack trace."""
    path = tmp_path / "master.sock"
    script = revocation.WORKERS_LIST.replace("/run/asp/master.sock", str(path))

    def master():
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            time.sleep(0.5)  # bound and not listening: refused
            listening.listen()
            connection, _ = listening.accept()
            with connection:
                assert connection.recv(200) == b"@1 show acl /data/crl/revoked.lst\n"
                connection.sendall(b"0x1 0A01\n\n")

    thread = threading.Thread(target=master)
    thread.start()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    thread.join()
    assert done.stdout == "0x1 0A01\n\n", done.stderr


@pytest.mark.parametrize(("present", "in_time"), [({1, 2, 3}, True), ({1}, False), (set(), False)])
def test_each_certificate_is_refused_before_it_is_done(monkeypatch, present, in_time):
    clock = itertools.count(step=10.0)
    monkeypatch.setattr(revocation.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(revocation.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(revocation, "serials_at_edge", lambda *_: present)
    if in_time:
        assert revocation.await_refusal(load("test"), None, {1, 2}) >= 0
    else:
        with pytest.raises(RuntimeFault, match=f"{2 - len(present)} of 2 certificates are still let in"):
            revocation.await_refusal(load("test"), None, {1, 2})


class Authority:
    """step-ca: answers each revocation with a status and words. `asked`: serial numbers and reason codes."""

    def __init__(self, status, text):
        self.status, self.text, self.asked = status, text, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def request(self, method, path, body, accept):
        self.asked.append((body["serial"], body["reasonCode"]))
        assert self.status in accept and body["passive"]
        return self

    def refuse(self, what):
        raise RuntimeFault(f"{what}: {self.status} {self.text}")


@pytest.mark.parametrize(
    ("status", "text", "refused"),
    [(200, "", False), (409, "certificate is already revoked", False), (401, "token expired", True), (400, "", True)],
)
def test_a_refusal_of_step_ca_is_told_unless_it_is_revoked_already(monkeypatch, status, text, refused):
    authority = Authority(status, text)
    monkeypatch.setattr(revocation, "HttpsSession", lambda *_: authority)
    monkeypatch.setattr(revocation.tokens, "revocation_token", lambda *_: "token")
    secrets = SimpleNamespace(root_ca=SimpleNamespace(certificate=""))
    if refused:
        with pytest.raises(RuntimeFault, match=f"revoking certificate 7: {status}"):
            revocation.revoke_all(load("test"), secrets, None, {7: 1})
    else:
        revocation.revoke_all(load("test"), secrets, None, {7: 1, 8: 9})
        assert authority.asked == [("7", 1), ("8", 9)]
