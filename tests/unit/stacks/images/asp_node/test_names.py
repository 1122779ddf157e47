"""A name that nobody has is answered at once, and only a question is answered."""

import socket
import struct
import threading

import pytest
from asp_node import names

A, AAAA, ADDITION = 1, 28, b"\0\0\x29\x05\xac\0\0\0\0\0\0"  # EDNS, as glibc may add it


def question(name="asp-three-baz1-postgres-1", kind=A, number=7, added=b""):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    header = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 1 if added else 0)
    return header + labels + b"\0" + struct.pack(">HH", kind, 1) + added


@pytest.mark.parametrize("kind", [A, AAAA])
@pytest.mark.parametrize("added", [b"", ADDITION], ids=["plain", "edns"])
@pytest.mark.parametrize("name", ["a", "asp-three-baz1-postgres-1", "a.b.example"])
def test_nobody_has_the_name(name, kind, added):
    reply = names.answer(question(name, kind, 4711, added))
    number, flags, questions, answers, authorities, additions = struct.unpack(">HHHHHH", reply[:12])
    assert (number, questions, answers, authorities, additions) == (4711, 1, 0, 0, 0)
    assert flags & 0x8000 and flags & 0x000F == 3
    assert reply[12:] == question(name, kind)[12:], "the question comes back, and nothing of the addition"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(12),
        question()[:20],
        question()[:-1],
        names.answer(question()),
        question()[:4] + b"\0\2" + question()[6:],
    ],
    ids=["empty", "header", "cut name", "cut class", "an answer", "two questions"],
)
def test_what_is_no_question_is_not_answered(data):
    assert names.answer(data) == b""


def test_it_answers_until_it_is_stopped():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    stopped = threading.Event()
    thread = threading.Thread(target=names.serve, args=(stopped, address))
    thread.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        reply = b""
        for _ in range(50):  # until it listens
            client.sendto(b"no question", address)
            client.sendto(question(), address)
            try:
                reply = client.recv(512)
                break
            except (TimeoutError, ConnectionRefusedError):
                continue
    stopped.set()
    thread.join(5)
    assert (reply, thread.is_alive()) == (names.answer(question()), False)


def test_a_port_that_is_taken_ends_nothing_else(capsys):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        names.serve(threading.Event(), other.getsockname())
    assert "no answer to unknown names at 127.0.0.1:" in capsys.readouterr().err
