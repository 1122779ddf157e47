"""An SSH server on the loopback that runs what it is asked to, for the connection to machines."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

VANISH = b"vanish"  # the machine dies while this runs


class _Rules(paramiko.ServerInterface):
    def __init__(self, admitted: paramiko.PKey):
        self._admitted = admitted

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key == self._admitted else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=_run, args=(channel, command), daemon=True).start()
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
def serving(host_key: paramiko.PKey, admitted: paramiko.PKey) -> Iterator[int]:
    """The port of a server with a host key, which admits one key."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transports: list[paramiko.Transport] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                transport = paramiko.Transport(connection)
                transport.add_server_key(host_key)
                transports.append(transport)
                try:
                    transport.start_server(server=_Rules(admitted))
                except (paramiko.SSHException, EOFError):
                    transport.close()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        for transport in transports:
            transport.close()
