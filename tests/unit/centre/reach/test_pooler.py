"""Clients are held while the caller works and go on whatever happens; what the pooler says is passed on."""

import contextlib
import socket
import struct
import threading
from types import SimpleNamespace

import pytest
from docker.errors import APIError

from centre.reach import pooler
from centre.reach.pooler import hold_clients
from centre.reach.runtime import RuntimeFault

HELD, RELEASED = '{"state": "held"}\n', '{"state": "released"}\n'
EXPIRED = '{"state": "expired", "reason": "t16054 was held for 60 s; its clients go on"}\n'


class Program:
    """The pooler's program at the other end of Docker's stream. `said`: what it prints; None: its input's end."""

    def __init__(self, patch, lines):
        self.commands, self.closed = [], threading.Event()
        ours, theirs = socket.socketpair()
        self._theirs = theirs
        threading.Thread(target=self._speak, args=(lines,), daemon=True).start()

        @contextlib.contextmanager
        def running(container, command, limit, stdin):
            assert stdin, "its input is what holds the clients"
            self.commands.append(command)
            try:
                yield "handle", ours
            finally:
                with contextlib.suppress(OSError):
                    ours.shutdown(socket.SHUT_RDWR)

        patch.setattr(pooler, "running", running)

    def _speak(self, lines):
        with contextlib.suppress(BrokenPipeError), self._theirs:  # nobody reads on when the work failed
            for text in lines:
                if text is None:
                    while self._theirs.recv(65536):
                        pass
                    self.closed.set()
                    continue
                kind, data = (2, text[1:]) if text.startswith("!") else (1, text)
                self._theirs.sendall(struct.pack(">BxxxL", kind, len(data.encode())) + data.encode())


@pytest.fixture
def program(monkeypatch):
    return lambda *lines: Program(monkeypatch, lines)


RUNTIME = SimpleNamespace(container=lambda service: SimpleNamespace(name=service))


def hold(**options):
    return hold_clients(RUNTIME, "proxy", 60, **options)


def test_a_database_is_held_while_the_caller_works(program):
    pgbouncer = program(HELD, None, RELEASED)
    with hold(database="t16054"):
        assert not pgbouncer.closed.is_set()
    assert pgbouncer.closed.is_set()
    assert pgbouncer.commands == [["asp-dbproxy-hold", "60", "--database", "t16054"]]


def test_what_goes_wrong_inside_is_told_and_the_clients_go_on(program):
    pgbouncer = program(HELD, None, RELEASED)
    with pytest.raises(RuntimeFault, match="psql exited with 3"), hold(database="t16054"):
        raise RuntimeFault("psql exited with 3")
    assert pgbouncer.closed.wait(10)


def test_what_goes_wrong_inside_is_told_also_when_time_was_up(program):
    program(HELD, EXPIRED)
    with pytest.raises(KeyError, match="inside"), hold(database="t16054"):
        raise KeyError("inside")


def test_clients_that_were_let_go_too_soon_are_a_fault(program):
    program(HELD, EXPIRED)
    calls = []
    with (
        pytest.raises(RuntimeFault, match="proxy: asp-dbproxy-hold: t16054 was held for 60 s"),
        hold(database="t16054"),
    ):
        calls.append(1)
    assert calls == [1]


def test_a_change_of_leader_waits_until_the_pooler_lets_them_go(program):
    pgbouncer = program(HELD + RELEASED)  # both in one piece of the stream
    with hold(until_not="n1") as clients:
        clients.wait()
    assert clients.ended and not pgbouncer.closed.is_set()
    assert pgbouncer.commands == [["asp-dbproxy-hold", "60", "--until-not", "n1"]]


def test_a_state_may_come_in_pieces(program):
    program('{"sta', 'te": "held"}', "\n", None, RELEASED)
    with hold(database="t16054"):
        pass


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (['{"state": "refused", "reason": "some transaction did not end"}\n'], "some transaction did not end"),
        (["!wanted: asp-dbproxy-hold SECONDS\n"], "wanted: asp-dbproxy-hold SECONDS"),
        (["OCI runtime exec failed: no such file\r\n"], "OCI runtime exec failed: no such file"),
        ([], "it ended without a word"),
    ],
)
def test_clients_that_cannot_be_held_are_a_fault_and_nothing_is_done(program, lines, fault):
    program(*lines)
    with pytest.raises(RuntimeFault, match=f"proxy: asp-dbproxy-hold: .*{fault}"), hold(database="t16054"):
        pytest.fail("nobody is held")


def test_a_proxy_that_runs_nothing_is_a_fault(monkeypatch):
    def running(*_, **__):
        raise APIError("container is not running")

    monkeypatch.setattr(pooler, "running", running)
    with (
        pytest.raises(RuntimeFault, match="proxy: asp-dbproxy-hold could not be run: container is not running"),
        hold(),
    ):
        pytest.fail("nobody is held")
