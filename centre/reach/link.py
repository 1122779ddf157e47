"""The Docker API of another machine: one SSH connection, kept, on which each API connection is a channel.

A channel runs `docker system dial-stdio`, which joins it with the daemon's socket. Here its end is a socket of the
kernel, so that an exec's stream, a half-closed one too, is to its user what one of the local daemon is.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import docker
import paramiko
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from centre.reach import ssh
from centre.reach.faults import Unreachable

PROGRAM = "docker system dial-stdio"
OLDEST = "1.41"  # API version in which the daemon is asked for its own: Debian 12's
REST_SECONDS = 15  # for which a machine that did not answer is not asked again
SILENCE_SECONDS = 20  # until a connection whose packets nobody acknowledges ends
CONNECTIONS = 4  # of one machine: sshd lets each have ten channels (MaxSessions), and more come with the next one
IDLE = 2  # API connections kept for the next request
BLOCK = 1 << 16
WORDS = 500  # characters of what the other end said that are shown


class Link:
    """A machine's SSH connection and its Docker API. `name`: the machine in messages."""

    def __init__(self, name: str, to: ssh.Destination):
        self.name, self._to = name, to
        self._lock = threading.Lock()
        self._adapter = _Adapter(self)
        self._open: list[paramiko.SSHClient] = []
        self._doubtful: list[paramiko.SSHClient] = []  # a new channel did not come in time; others may go on
        self._clients: dict[int, docker.DockerClient] = {}
        self._rest: tuple[float, str] = (0.0, "")  # until when (monotonic), and why
        self._words = ""

    def client(self, timeout: int) -> docker.DockerClient:
        """The machine's daemon, whose every answer may take `timeout` seconds. Unreachable when it gives none."""
        client = self._clients.get(timeout)
        if client is None:
            version = self._client(timeout, OLDEST).api.version(api_version=False)["ApiVersion"]
            client = self._clients.setdefault(timeout, self._client(timeout, version))
        return client

    def _client(self, timeout: int, version: str) -> docker.DockerClient:
        client = docker.DockerClient(base_url=f"tcp://{self.name}:2375", version=version, timeout=timeout)
        client.api.trust_env = False  # a proxy for the web is none for this
        client.api.mount("http://", self._adapter)
        return client

    def dial(self) -> socket.socket:
        """A new connection with the machine's daemon. Unreachable when the machine does not answer."""
        channel = self._channel()
        near, far = socket.socketpair()
        receiving = threading.Thread(target=self._receive, args=(channel, far), daemon=True)
        receiving.start()
        threading.Thread(target=_send, args=(far, channel, receiving), daemon=True).start()
        return near

    def rest(self, reason: str) -> None:
        """Do not ask the machine again for a while; who does is told the reason."""
        self._rest = (time.monotonic() + REST_SECONDS, reason)

    def fault(self, error: BaseException) -> Unreachable:
        """What a fault of the API on this link means."""
        if isinstance(error, requests.exceptions.ReadTimeout):
            reason = "no answer in time"
        else:
            reason = self._words or str(error)
        return Unreachable(
            f"machine {self.name}: its Docker daemon does not answer: {reason}; wanted: an answer to {PROGRAM}. "
            "See journalctl -u docker there"
        )

    def _channel(self) -> paramiko.Channel:
        with self._lock:  # who comes meanwhile waits for the same connection
            until, reason = self._rest
            if time.monotonic() < until:
                raise Unreachable(reason)
            try:
                return self._first_channel()
            except (ssh.SettingFault, ssh.ConnectFault, paramiko.SSHException, EOFError, OSError) as error:
                reason = f"machine {self.name}: {error or 'the connection ended'}"
                self.rest(reason)
                raise Unreachable(reason) from error

    def _first_channel(self) -> paramiko.Channel:
        """A channel on an open connection; a further connection where those open have no more."""
        self._open = [client for client in self._open if _active(client)]
        for client in list(self._open):
            try:
                return self._channel_of(client)
            except paramiko.ChannelException:
                pass  # it has as many as it may
            except (paramiko.SSHException, EOFError, OSError):
                self._open.remove(client)
                if _active(client):  # the machine says nothing: to another connection neither
                    self._doubtful.append(client)
                    raise
        if len(self._open) >= CONNECTIONS:
            raise Unreachable(
                f"machine {self.name}: seen {CONNECTIONS} connections with no channel left; wanted: one. Wait for what "
                "is under way from here, or raise MaxSessions in its sshd_config"
            )
        client = ssh.connect(self._to)
        raw = _transport(client).sock
        if isinstance(raw, socket.socket):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_SECONDS * 1000)
        self._open.append(client)
        return self._channel_of(client)

    def _channel_of(self, client: paramiko.SSHClient) -> paramiko.Channel:
        """A channel with the program running in it: paramiko waits without end for the machine's word that it does."""
        channel = _transport(client).open_session(timeout=self._to.seconds)
        limit = threading.Timer(self._to.seconds, channel.close)
        limit.start()
        try:
            channel.exec_command(PROGRAM)
        finally:
            limit.cancel()
        return channel

    def _receive(self, channel: paramiko.Channel, far: socket.socket) -> None:
        """What the daemon says, until it ends; what the program says of its end is kept for messages."""
        answered = False
        with contextlib.suppress(OSError):  # whoever listened has gone
            while piece := channel.recv(BLOCK):
                answered = True
                far.sendall(piece)
        with contextlib.suppress(OSError):
            self._words = "" if answered else channel.recv_stderr(WORDS).decode(errors="replace").strip()
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)


def _send(far: socket.socket, channel: paramiko.Channel, receiving: threading.Thread) -> None:
    """What is said to the daemon, until its user half-closes; then wait until either end has gone, and close both."""
    with contextlib.suppress(OSError):
        while piece := far.recv(BLOCK):
            with contextlib.suppress(OSError, EOFError):  # it has ended: the rest is drained
                channel.sendall(piece)
    with contextlib.suppress(OSError, EOFError):
        channel.shutdown_write()
    hung_up = select.poll()
    hung_up.register(far, 0)  # POLLHUP alone: both directions have ended
    hung_up.poll()
    with contextlib.suppress(OSError, EOFError):  # the connection has ended
        channel.close()
    receiving.join()
    far.close()


def _transport(client: paramiko.SSHClient) -> paramiko.Transport:
    transport = client.get_transport()
    assert transport is not None, "an open connection"
    return transport


def _active(client: paramiko.SSHClient) -> bool:
    transport = client.get_transport()
    return transport is not None and transport.is_active()


class _Response(http.client.HTTPResponse):
    """An answer that is read no further than asked: docker-py takes an exec's stream from under the file read here."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any):
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = sock.makefile("rb", buffering=1)


class _Connection(HTTPConnection):
    response_class = _Response

    def __init__(self, link: Link, timeout: Any):
        super().__init__("localhost", timeout=timeout)
        self._link = link

    def connect(self) -> None:
        self.sock = self._link.dial()
        self.sock.settimeout(self.timeout)


class _Pool(HTTPConnectionPool):
    def __init__(self, link: Link):
        super().__init__("localhost", maxsize=IDLE)
        self._link = link

    def _new_conn(self) -> _Connection:
        return _Connection(self._link, self.timeout.connect_timeout)


class _Adapter(HTTPAdapter):
    """Requests of docker-py on a link; a fault of the way is one Unreachable that names the machine."""

    def __init__(self, link: Link):
        self._link, self._pool = link, _Pool(link)
        super().__init__()

    def send(self, *args: Any, **options: Any) -> requests.Response:
        try:
            return super().send(*args, **options)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise self._link.fault(error) from error

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        return request.path_url

    def close(self) -> None:
        self._pool.close()
        super().close()


_links: dict[tuple[str, ssh.Destination], Link] = {}
_links_lock = threading.Lock()


def _forget() -> None:
    """Threads, and with them connections, stay with the parent: Ansible forks a process for each task."""
    global _links_lock
    _links_lock = threading.Lock()
    _links.clear()


os.register_at_fork(after_in_child=_forget)


def link(name: str, to: ssh.Destination) -> Link:
    """The one link of this process with a machine."""
    with _links_lock:
        return _links.setdefault((name, to), Link(name, to))
