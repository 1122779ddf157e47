"""An SSH server on the loopback that runs what it is asked to, for the connection to machines."""

from __future__ import annotations

import io
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import paramiko
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.support import keys

VANISH = b"vanish"  # the machine dies while this runs
Program = Callable[[paramiko.Channel], None]


class _Rules(paramiko.ServerInterface):
    def __init__(self, admitted: paramiko.PKey, programs: Mapping[bytes, Program], sessions: int):
        self._admitted, self._programs, self._sessions = admitted, programs, sessions
        self._channels: list[paramiko.Channel] = []

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key == self._admitted else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self._channels = [channel for channel in self._channels if not channel.closed]
        full = len(self._channels) >= self._sessions
        return paramiko.OPEN_FAILED_RESOURCE_SHORTAGE if full else paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._channels.append(channel)
        program = self._programs.get(command) or (lambda channel: _run(channel, command))
        threading.Thread(target=program, args=(channel,), daemon=True).start()
        return True


def _run(channel: paramiko.Channel, command: bytes) -> None:
    if command == VANISH:
        channel.get_transport().close()
        return
    text = channel.makefile("rb").read()
    outcome = subprocess.run(["sh", "-c", command], input=text, capture_output=True)
    channel.sendall(outcome.stdout)
    channel.sendall_stderr(outcome.stderr)
    channel.send_exit_status(outcome.returncode)
    channel.close()


@contextmanager
def serving(
    host_key: paramiko.PKey,
    admitted: paramiko.PKey,
    programs: Mapping[bytes, Program] | None = None,
    sessions: int = 10,
    connections: list[paramiko.Transport] | None = None,
) -> Iterator[int]:
    """The port of a server with a host key, which admits one key.

    `programs`: what runs for a command instead of a shell; `sessions`: that a connection may have at once, as
    MaxSessions; `connections`: those that came are added to it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transports = connections if connections is not None else []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                transport = paramiko.Transport(connection)
                transport.add_server_key(host_key)
                transports.append(transport)
                try:
                    transport.start_server(server=_Rules(admitted, programs or {}, sessions))
                except (paramiko.SSHException, EOFError):
                    transport.close()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        for transport in transports:
            transport.close()


def joining(path: str) -> Program:
    """What `docker system dial-stdio` does, to a socket's path."""

    def program(channel: paramiko.Channel) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
            try:
                daemon.connect(path)
            except OSError as error:
                time.sleep(0.1)  # sshd says that a program runs before it says that it has ended
                channel.sendall_stderr(f"cannot connect to {path}: {error}".encode())
                channel.send_exit_status(1)
                channel.close()
                return

            def answer() -> None:
                _pump(daemon.recv, channel.sendall)
                channel.close()  # whatever else would have come in

            answering = threading.Thread(target=answer, daemon=True)
            answering.start()
            _pump(channel.recv, daemon.sendall)
            with suppress(OSError):
                daemon.shutdown(socket.SHUT_WR)
            answering.join()

    return program


def _pump(receive: Callable[[int], bytes], send: Callable[[bytes], object]) -> None:
    with suppress(OSError):
        while piece := receive(1 << 16):
            send(piece)


def pair() -> tuple[str, paramiko.PKey]:
    """A key: its text, and for paramiko."""
    key = ed25519.Ed25519PrivateKey.generate()
    text = keys.private(key)
    return text, paramiko.Ed25519Key.from_private_key(io.StringIO(text))
