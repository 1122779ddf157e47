"""The client of etcd asks another member when one cannot answer, logs in again when it must, and ends at a refusal."""

import json
from types import SimpleNamespace

import pytest
from asp_failover import etcd as etcd_module
from asp_failover.etcd import Etcd, EtcdFault, end_of

LOGIN = "/v3/auth/authenticate"
RANGE = "/v3/kv/range"


class Members:
    """Members by name → what each answers to a call: (status, body), or an error to raise. `calls`: who, what, login.

    A login at member m gives the token `m-<number>`.
    """

    def __init__(self, **answers):
        self.answers, self.calls, self.logins = answers, [], 0

    def connection(self, host, port, timeout, context):
        assert port == 2379
        return SimpleNamespace(
            request=lambda method, path, body, headers: self._ask(host, path, headers),
            getresponse=lambda: self._answer,
            close=lambda: None,
        )

    def _ask(self, host, path, headers):
        self.calls.append((host, path, headers.get("Authorization")))
        if path == LOGIN:
            self.logins += 1
            status, body = 200, {"token": f"{host}-{self.logins}"}
        else:
            answer = self.answers[host]
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, Exception):
                raise answer
            status, body = answer
        self._answer = SimpleNamespace(status=status, read=lambda: json.dumps(body).encode())


@pytest.fixture
def client(monkeypatch):
    """A client of these members."""
    monkeypatch.setattr(etcd_module.ssl, "create_default_context", lambda cafile: None)

    def client_of(members):
        monkeypatch.setattr(etcd_module.http.client, "HTTPSConnection", members.connection)
        return Etcd([f"{name}:2379" for name in members.answers], "/root.crt", "fencer", "geheim")

    return client_of


GOOD = (200, {"kvs": []})


@pytest.mark.parametrize(
    "first",
    [
        ConnectionRefusedError("refused"),
        (503, {"message": "no such thing"}),
        (400, {"message": "etcdserver: no leader"}),
        (408, {"message": "etcdserver: request timed out"}),
    ],
    ids=str,
)
def test_another_member_is_asked_when_one_cannot_answer(client, first):
    members = Members(a=first, b=GOOD)
    etcd = client(members)
    assert etcd.call(RANGE, {}) == {"kvs": []}
    assert members.calls[-2:] == [("b", LOGIN, None), ("b", RANGE, "b-2")], "with a login of its own"
    members.calls.clear()
    etcd.call(RANGE, {})
    assert members.calls == [("b", RANGE, "b-2")], "the one that answered is asked first from then on"


def test_none_that_answers_is_a_fault_with_the_last_reason(client):
    members = Members(a=ConnectionRefusedError("a"), b=ConnectionRefusedError("b"))
    with pytest.raises(EtcdFault, match=r"no member answers /v3/kv/range; last seen: b:2379: ConnectionRefused"):
        client(members).call(RANGE, {})
    assert len(members.calls) == 4, "each once, with its login"


def test_a_refusal_is_not_taken_to_another_member(client):
    members = Members(a=(403, {"message": "etcdserver: permission denied"}), b=GOOD)
    with pytest.raises(EtcdFault, match="refused with 403: etcdserver: permission denied"):
        client(members).call(RANGE, {})
    assert {host for host, _, _ in members.calls} == {"a"}


@pytest.mark.parametrize("word", ["invalid auth token", "revision of auth store is old"])
def test_a_login_that_has_run_out_is_made_again_once(client, word):
    stale = (401, {"message": f"etcdserver: {word}"})
    members = Members(a=[stale, GOOD])
    assert client(members).call(RANGE, {}) == {"kvs": []}
    assert members.logins == 2
    members = Members(a=[stale] * 9)
    with pytest.raises(EtcdFault, match="refused with 401"):
        client(members).call(RANGE, {})
    assert members.logins == 2


def test_keys_below_a_prefix_end_before_those_of_another_cell():
    assert "/service/baz1/leader" < end_of("/service/baz1/") < "/service/baz10/leader"
