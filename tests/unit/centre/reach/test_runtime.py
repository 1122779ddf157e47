"""The exec stream of the Docker API: read whole, split into stdout and stderr, bounded in time."""

import socket
import struct
import threading

import pytest

from centre.reach.runtime import RuntimeFault, _exchange


def frame(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(data)) + data


def test_streams_are_split_and_joined():
    ours, theirs = socket.socketpair()
    theirs.sendall(frame(1, b"one ") + frame(2, b"warning") + frame(1, "árvíz".encode()))
    theirs.close()
    assert _exchange(ours, None, 5, "x") == ("one árvíz", "warning")


def test_large_input_and_output_do_not_block_each_other():
    ours, theirs = socket.socketpair()
    size = 4 * 1024 * 1024
    calls = []

    def echo():
        theirs.sendall(frame(1, b"y" * size))
        while piece := theirs.recv(65536):
            calls.append(len(piece))
        theirs.close()

    thread = threading.Thread(target=echo)
    thread.start()
    out, _ = _exchange(ours, "x" * size, 20, "x")
    thread.join()
    assert len(out) == size and sum(calls) == size


def test_a_silent_command_is_given_up_with_its_name():
    ours, _theirs = socket.socketpair()
    with pytest.raises(RuntimeFault, match="asp-test-edge: asp-edge: no end within its time limit"):
        _exchange(ours, None, 0.2, "asp-test-edge: asp-edge")
