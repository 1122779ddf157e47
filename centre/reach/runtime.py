"""Reaching into running services through the Docker API: how playbooks and checks act on the centre.

Nothing of the hosting but the edge and workstations publishes a port, so administration runs inside the containers,
with what must stay secret on standard input, never in arguments.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import docker
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from centre.reach.faults import RuntimeFault as RuntimeFault
from centre.reach.faults import Unreachable as Unreachable
from centre.reach.machines import Machines
from inventory.machines import Machine
from inventory.register import Register


@dataclass(frozen=True)
class Result:
    """What a command inside a service gave: exit code and both outputs as text."""

    code: int
    out: str
    err: str


class RunOptions(TypedDict, total=False):
    """What `Runtime.run` takes beside the command and its input."""

    timeout: float
    user: str
    wait: float


class Runtime:
    """The services of one environment, on whichever of its machines they run."""

    def __init__(self, register: Register, timeout: int = 30):
        self.register = register
        self.machines = Machines(register.environment, timeout)
        self.machines.manager()  # without one there is nothing to begin with

    @property
    def client(self) -> docker.DockerClient:
        """A daemon that manages the Swarm: services, secrets, configs and networks (docker-py)."""
        return self.machines.manager()

    def daemons(self) -> list[docker.DockerClient]:
        """The daemon of every machine, for containers and volumes. Unreachable when one does not answer."""
        return self.machines.all()

    def container(self, service: str, wait: float = 0) -> Container:
        """The running (and, where it has a health check, healthy) container of a service, newest first on its machine.

        `wait`: seconds to wait for one. Raises Unreachable naming the states that were seen.
        """
        deadline = time.monotonic() + wait
        while True:
            states: list[str] = []
            faults: list[str] = []
            machines = self.machines.running(service)
            for machine in machines:
                try:
                    containers = self._containers(machine, service)
                except Unreachable as fault:  # another machine may run it as well
                    faults.append(str(fault))
                    continue
                for container in containers:
                    states.append(_health(container))
                    if states[-1] == "healthy":
                        return container
            if faults and len(faults) == len(machines):
                raise Unreachable(f"service {service}: {'; '.join(faults)}")
            if time.monotonic() >= deadline:
                summary = ", ".join([*states, *faults]) or "no running task"
                raise Unreachable(f"service {service}: seen: {summary}; wanted: a healthy task. See asp status")
            time.sleep(0.2)

    def _containers(self, machine: Machine, service: str) -> list[Container]:
        try:
            client = self.machines.client(machine)
            return client.containers.list(filters={"label": f"com.docker.swarm.service.name={service}"})
        except (DockerException, OSError) as error:
            raise Unreachable(f"daemon does not answer: {error}") from error

    def run(
        self,
        service: str,
        argv: list[str],
        stdin: str | None = None,
        timeout: float = 60,
        user: str = "",
        wait: float = 0,
    ) -> Result:
        """Run a command in a service's container, with `stdin` (text) given to it.

        Raises Unreachable when there is no container, RuntimeFault after `timeout` seconds.
        """
        return self.inside(self.container(service, wait), argv, stdin, timeout, user, f"service {service}")

    def inside(
        self,
        container: Container,
        argv: list[str],
        stdin: str | None = None,
        timeout: float = 60,
        user: str = "",
        label: str = "",
    ) -> Result:
        """Like `run`, in a container that is at hand; `label`: its name in messages."""
        label = label or str(container.name)
        api = client_of(container).api
        try:
            handle = api.exec_create(container.id, argv, stdin=stdin is not None, user=user)["Id"]
            stream = api.exec_start(handle, socket=True)
            out, err = _exchange(socket_of(stream), stdin, timeout, f"{label}: {argv[0]}")
            stream.close()
            code = api.exec_inspect(handle)["ExitCode"]
        except (APIError, OSError) as error:
            raise Unreachable(f"{label}: {argv[0]} could not be run: {error}") from error
        return Result(-1 if code is None else code, out, err)

    def check(self, service: str, argv: list[str], stdin: str | None = None, **options: Unpack[RunOptions]) -> str:
        """Like `run`, but a non-zero exit raises RuntimeFault with the end of what was printed; returns the output."""
        result = self.run(service, argv, stdin, **options)
        if result.code != 0:
            output = (result.err.strip() or result.out.strip())[-2000:]
            raise RuntimeFault(f"{service}: {argv[0]} exited with {result.code}: {output}")
        return result.out


def _health(container: Container) -> str:
    state = container.attrs["State"]
    health = (state.get("Health") or {}) if isinstance(state, dict) else {}
    return str(health.get("Status", "healthy"))


def client_of(container: Container) -> docker.DockerClient:
    """The daemon of the machine that a container runs on."""
    assert container.client is not None, "a container that a client gave"
    return container.client


def socket_of(stream: Any) -> socket.socket:
    """The socket under the stream of an exec: docker-py hands out a file over it, of a kind for each transport."""
    raw: socket.socket = getattr(stream, "_sock", stream)
    return raw


def _exchange(raw: socket.socket, stdin: str | None, timeout: float, label: str) -> tuple[str, str]:
    """Send `stdin`, half-close, and read Docker's multiplexed stream to its end: (stdout, stderr)."""
    raw.settimeout(timeout)
    if stdin is not None:  # from a thread: a command may print much before it has read all
        threading.Thread(target=send, args=(raw, stdin.encode()), daemon=True).start()
    parts: dict[int, list[bytes]] = {1: [], 2: []}
    for kind, piece in frames(raw, time.monotonic() + timeout, label):
        parts.setdefault(kind, []).append(piece)
    return b"".join(parts[1]).decode(errors="replace"), b"".join(parts[2]).decode(errors="replace")


def frames(raw: socket.socket, deadline: float, label: str) -> Iterator[tuple[int, bytes]]:
    """Pieces of Docker's multiplexed stream to its end: 1 (stdout) or 2 (stderr), and what was printed.

    RuntimeFault when it has not ended by `deadline` (monotonic).
    """
    while header := _read(raw, 8, deadline, label):
        kind, size = struct.unpack(">BxxxL", header)
        yield kind, _read(raw, size, deadline, label)


def exit_code(client: docker.DockerClient, handle: str) -> int | None:
    """Exit code of an exec whose stream has ended; None when nobody can say it within some seconds."""
    code: int | None
    deadline = time.monotonic() + 10
    while (code := client.api.exec_inspect(handle)["ExitCode"]) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return code


def send(raw: socket.socket, data: bytes) -> None:
    """Give a command all of its input, and half-close."""
    # A command may end without reading its input; its exit code tells, not the broken pipe.
    with contextlib.suppress(OSError):
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)


def _read(raw: socket.socket, size: int, deadline: float, label: str) -> bytes:
    """Exactly `size` bytes, or nothing at the end of the stream."""
    data = b""
    while len(data) < size:
        timeout = deadline - time.monotonic()
        if timeout <= 0:
            raise RuntimeFault(f"{label}: no end within its time limit")
        raw.settimeout(timeout)
        try:
            piece = raw.recv(size - len(data))
        except TimeoutError as error:
            raise RuntimeFault(f"{label}: no end within its time limit") from error
        if not piece:
            return data
        data += piece
    return data
