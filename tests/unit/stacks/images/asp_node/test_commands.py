"""`asp-node status` tells what Patroni knows, or says why it does not."""

import json

import pytest
from asp_node import patroni_api
from asp_node.__main__ import main


def test_the_cluster_is_told_as_json(monkeypatch, capsys):
    cluster = {"members": [{"name": "n1", "role": "leader", "state": "running"}]}
    monkeypatch.setattr(patroni_api, "call", lambda method, path: (200, cluster))
    assert main(["status"]) == 0
    assert json.loads(capsys.readouterr().out) == cluster


def silent(*_):
    raise ConnectionRefusedError("refused")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda *_: (503, "no cluster"), "asp-node status: Patroni answers 503: no cluster"),
        (silent, "asp-node status: Patroni does not answer: ConnectionRefusedError('refused')"),
    ],
)
def test_a_patroni_without_an_answer_is_a_fault(monkeypatch, capsys, call, message):
    monkeypatch.setattr(patroni_api, "call", call)
    assert main(["status"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(message)


def test_a_command_that_is_none_says_what_there_is(capsys):
    assert main([]) == 2
    assert "wanted: asp-node serve | status" in capsys.readouterr().err
