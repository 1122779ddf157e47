"""Carrying a database from one container to another as a stream: nothing of it touches a disk on the way."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from docker.errors import DockerException
from docker.models.containers import Container

from centre.reach.runtime import RuntimeFault, client_of, exit_code, frames, socket_of

TAIL = 1500  # characters of what a command said that are shown
LIMIT = 3600  # seconds


def carry(source: Container, give: list[str], target: Container, take: list[str], limit: float = LIMIT) -> int:
    """Run `give` in one container and `take` in another, the first's output being the other's input; bytes carried.

    RuntimeFault with the words of whichever failed, or when it has not ended within `limit` seconds.
    """
    deadline = time.monotonic() + limit
    late = f"{target.name}: {take[0]}: no end within its time limit"
    errors, carried = b"", 0
    messages: list[bytes] = []
    try:
        with running(target, take, limit, stdin=True) as (taking, into), running(source, give, limit) as (giving, out):
            listening = threading.Thread(target=_listen, args=(into, messages), daemon=True)
            listening.start()
            try:
                for kind, piece in frames(out, deadline, f"{source.name}: {give[0]}"):
                    if kind == 1:
                        into.sendall(piece)
                        carried += len(piece)
                    else:
                        errors = (errors + piece)[-TAIL:]
                with contextlib.suppress(OSError):  # it may have ended by itself
                    into.shutdown(socket.SHUT_WR)
            except TimeoutError as error:
                raise RuntimeFault(late) from error
            except (BrokenPipeError, ConnectionResetError):
                pass  # the taker has ended: its own words say why
            listening.join(max(deadline - time.monotonic(), 0))
            if listening.is_alive():
                raise RuntimeFault(late)
        _require_success(target, take, taking, b"".join(messages))
        _require_success(source, give, giving, errors)
    except DockerException as error:
        raise RuntimeFault(f"{source.name} → {target.name}: {error}") from error
    return carried


def _require_success(container: Container, command: list[str], handle: str, message: bytes) -> None:
    if (code := exit_code(client_of(container), handle)) != 0:
        tail = message.decode(errors="replace").strip()[-TAIL:]
        raise RuntimeFault(f"{container.name}: {command[0]} exited with {code}: {tail}")


@contextlib.contextmanager
def running(
    container: Container, command: list[str], limit: float, stdin: bool = False
) -> Iterator[tuple[str, socket.socket]]:
    """A command under way in a container: its handle and its stream, whose every step takes at most `limit` seconds."""
    api = client_of(container).api
    handle = api.exec_create(container.id, command, stdin=stdin)["Id"]
    stream = api.exec_start(handle, socket=True)
    raw = socket_of(stream)
    raw.settimeout(limit)
    try:
        yield handle, raw
    finally:
        with contextlib.suppress(OSError):  # a taker that still waits ends with its input
            raw.shutdown(socket.SHUT_RDWR)
        stream.close()


def _listen(raw: socket.socket, messages: list[bytes]) -> None:
    """Docker's frames, headers and all: only shown when something went wrong.

    Ends with the command, and the stream with it: the daemon neither reads nor refuses what a dead command is sent.
    """
    with contextlib.suppress(OSError):
        while piece := raw.recv(65536):
            messages.append(piece)
        raw.shutdown(socket.SHUT_RDWR)
