"""A municipal workstation as tests reach it: by SSH, with the environment's own key, as municipal IT does."""

from __future__ import annotations

import contextlib
import select
import shlex
import socket
import socketserver
import threading
from collections.abc import Iterator

import paramiko

from inventory import paths
from inventory.register import Register
from inventory.workstations import CLERK_ACCOUNT, Seat, seat

ADDRESS, ADMINISTRATOR = "127.0.0.1", "asp-admin"


class WorkstationFault(AssertionError):
    """A command on a workstation did not do what a test needs; the message has what was printed."""


class Workstation:
    """One SSH connection. Close it, or use it as a context manager."""

    def __init__(self, register: Register, name: str, timeout: float = 20):
        self.seat: Seat = seat(register, name)
        self.timeout = timeout
        folder = paths.environment_dir(register.environment.id) / "ssh"
        self.client = paramiko.SSHClient()
        self.client.load_host_keys(str(folder / "known_hosts"))
        self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        self.client.connect(
            ADDRESS,
            register.ssh_port(self.seat.station),
            ADMINISTRATOR,
            key_filename=str(folder / "id_ed25519"),
            allow_agent=False,
            look_for_keys=False,
            timeout=timeout,
        )

    def __enter__(self) -> Workstation:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def run(self, *argv: str, user: str = "root", stdin: str = "", check: bool = True, timeout: float = 60) -> str:
        """Output of a command run as `user` (`root`, or the clerk's account); WorkstationFault when it fails."""
        command = f"sudo -n -H -u {shlex.quote(user)} env LC_ALL=C.UTF-8 {shlex.join(argv)}"
        to, out, err = self.client.exec_command(command, timeout=timeout)
        to.write(stdin)
        to.channel.shutdown_write()
        output, errors = out.read().decode(), err.read().decode()
        code = out.channel.recv_exit_status()
        if check and code != 0:
            raise WorkstationFault(
                f"{self.seat.station.name}: {shlex.join(argv)}: exit code {code}: {errors or output}"
            )
        return output

    def as_clerk(self, *argv: str, **options) -> str:
        """Like `run`, as the clerk's desktop account."""
        return self.run(*argv, user=CLERK_ACCOUNT, **options)

    @contextlib.contextmanager
    def forwarded(self, port: int) -> Iterator[int]:
        """A local port that leads to `port` on the workstation's loopback."""
        transport = self.client.get_transport()

        class Carry(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    channel = transport.open_channel("direct-tcpip", (ADDRESS, port), self.request.getpeername())
                except (paramiko.SSHException, OSError):
                    return  # the workstation's side is gone: the caller sees its connection closed
                with channel:
                    _carry(self.request, channel)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        with Server((ADDRESS, 0), Carry) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            try:
                yield server.server_address[1]
            finally:
                server.shutdown()


def _carry(near: socket.socket, far: paramiko.Channel) -> None:
    while True:
        ready, _, _ = select.select([near, far], [], [])
        for source, target in ((near, far), (far, near)):
            if source in ready:
                with contextlib.suppress(OSError):
                    if data := source.recv(65536):
                        target.sendall(data)
                        continue
                return
