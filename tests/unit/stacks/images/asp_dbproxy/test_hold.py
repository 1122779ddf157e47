"""Clients are held for as long as the caller wants, never forever, and what was refused is told."""

import json
import os
import socket
import subprocess
import threading

import pytest

from inventory import paths
from tests.support.polling import poll

PROGRAM = paths.ROOT / "stacks" / "images" / "dbproxy" / "asp-dbproxy-hold"
PSQL = """\
#!/bin/bash
echo "${{@: -2:1}}" >>{calls}
case "${{@: -2:1}}" in
  PAUSE*) {pause} ;;
esac
"""
STATUS = """\
haproxy_server_status{{proxy="leader",server="n1",state="UP"}} {n1}
haproxy_server_status{{proxy="leader",server="n2",state="UP"}} {n2}
haproxy_server_status{{proxy="leader",server="n2",state="DOWN"}} 1
"""


class Proxy:
    """PgBouncer's console and HAProxy's status page as the program sees them. `leads`: the node that is up."""

    def __init__(self, folder, patch):
        self.folder, self.leads = folder, "n1"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._environment = {
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "ASP_STATUS_PORT": str(self._listener.getsockname()[1]),
        }
        self.pause("true")
        threading.Thread(target=self._serve, daemon=True).start()

    def pause(self, does):
        psql = self.folder / "psql"
        psql.write_text(PSQL.format(calls=self.folder / "calls", pause=does))
        psql.chmod(0o755)

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                text = STATUS.format(n1=int(self.leads == "n1"), n2=int(self.leads == "n2"))
                connection.sendall(f"HTTP/1.0 200 OK\r\n\r\n{text}".encode())

    @property
    def calls(self):
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def start(self, *words):
        return subprocess.Popen(
            [str(PROGRAM), *words],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self):
        self._listener.close()


@pytest.fixture
def proxy(tmp_path, monkeypatch):
    proxy = Proxy(tmp_path, monkeypatch)
    yield proxy
    proxy.close()


def next_line(process):
    return json.loads(process.stdout.readline())


def end_of(process):
    """How it ended: its exit code and the last line, after its input was closed if it still runs."""
    out, err = process.communicate(timeout=20)
    return process.returncode, json.loads(out) if out else None, err


def test_a_database_is_held_until_the_caller_closes_its_input(proxy):
    process = proxy.start("60", "--database", "t16054")
    assert next_line(process) == {"state": "held"} and proxy.calls == ["PAUSE t16054"]
    assert end_of(process) == (0, {"state": "released"}, "")
    assert proxy.calls == ["PAUSE t16054", "RESUME t16054"]


def test_whoever_does_not_end_is_cut_off(proxy):
    proxy.pause("echo 'ERROR: canceled' >&2; exit 1")
    process = proxy.start("60", "--database", "t16054")
    assert next_line(process) == {"state": "held"}
    end_of(process)
    assert proxy.calls == ["PAUSE t16054", "KILL t16054", "RESUME t16054"]


def test_a_database_that_nobody_has_used_needs_no_holding(proxy):
    proxy.pause("echo 'ERROR: no such database: t16054' >&2; exit 1")
    process = proxy.start("60", "--database", "t16054")
    assert next_line(process) == {"state": "held"} and end_of(process)[0] == 0
    assert "KILL t16054" not in proxy.calls


def test_nobody_is_held_longer_than_was_said(proxy):
    process = proxy.start("1", "--database", "t16054")
    assert next_line(process) == {"state": "held"}
    assert next_line(process) == {"state": "expired", "reason": "t16054 was held for 1 s; its clients go on"}
    assert end_of(process)[0] == 1 and proxy.calls[-1] == "RESUME t16054"


def test_all_are_held_until_another_node_leads(proxy):
    process = proxy.start("60", "--until-not", "n1")
    assert next_line(process) == {"state": "held"} and proxy.calls == ["PAUSE"]
    assert process.poll() is None
    proxy.leads = "n2"
    assert next_line(process) == {"state": "released"}
    assert end_of(process)[0] == 0 and proxy.calls == ["PAUSE", "RESUME "]


def test_while_nobody_leads_they_are_held(proxy):
    proxy.leads = None
    process = proxy.start("1", "--until-not", "n1")
    assert next_line(process) == {"state": "held"}
    reason = "nobody but n1 leads after 1 s; clients go on with whoever does"
    assert next_line(process) == {"state": "expired", "reason": reason}
    assert end_of(process)[0] == 1


def test_a_transaction_that_does_not_end_refuses_a_change_of_leader(proxy):
    proxy.pause("exit 1")
    process = proxy.start("60", "--until-not", "n1")
    reason = "some transaction did not end within 10 s; clients go on, nothing was switched"
    assert next_line(process) == {"state": "refused", "reason": reason}
    assert end_of(process)[0] == 1 and proxy.calls == ["PAUSE", "RESUME "], "a pause that came late is taken back too"


def test_killed_it_lets_them_go(proxy):
    process = proxy.start("60", "--database", "t16054")
    assert next_line(process) == {"state": "held"}
    process.terminate()
    process.wait(20)
    assert poll(lambda: proxy.calls[-1], lambda last: last == "RESUME t16054", 10, "they go on")


@pytest.mark.parametrize(
    "words", [(), ("x",), ("5", "--database", "t1605"), ("5", "--database", "x; SHUTDOWN"), ("5", "--until-not", 'n"1')]
)
def test_what_is_no_request_holds_nobody(proxy, words):
    code, out, err = end_of(proxy.start(*words))
    assert code == 2 and out is None and "wanted: asp-dbproxy-hold SECONDS" in err
    assert proxy.calls == []
