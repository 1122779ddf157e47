"""What the edge's HAProxy says that it refuses."""

import itertools
from types import SimpleNamespace

import pytest

from centre.edge import revocation
from centre.reach.runtime import RuntimeFault
from inventory.register import load

REGISTER = SimpleNamespace(names=SimpleNamespace(edge="asp-x-edge"))


def test_the_edges_own_answer_counts():
    runtime = SimpleNamespace(check=lambda service, argv, stdin: '{"serials": ["0A01", "FF"]}')
    assert revocation.serials_at_edge(REGISTER, runtime) == {0xA01, 0xFF}


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
