"""Ansible connection: SSH by paramiko to a machine whose host key is known beforehand, and no other."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import Any

import paramiko
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

from centre.reach import ssh

DOCUMENTATION = r"""
name: pinned
short_description: SSH to a machine with the one host key that the register has of it
description:
  - Trusts the key of C(ansible_pinned_host_key) and nothing else, no C(known_hosts) file among it. A machine with
    another key is not spoken to. Nobody is ever asked for a password.
author: [ASP operations]
options:
  host:
    description: Address.
    type: str
    required: true
    vars: [{name: ansible_host}]
  port:
    description: Port.
    type: int
    default: 22
    vars: [{name: ansible_port}]
  remote_user:
    description: Account on the machine.
    type: str
    default: root
    vars: [{name: ansible_user}]
  private_key_file:
    description: The operator's own key; those of the agent are tried where it is empty.
    type: path
    env: [{name: ASP_MACHINE_KEY}]
    vars: [{name: ansible_ssh_private_key_file}]
  host_key:
    description: The machine's key, as C(ssh-ed25519 AAAA…).
    type: str
    required: true
    vars: [{name: ansible_pinned_host_key}]
  timeout:
    description: Seconds until a machine that does not answer is given up.
    type: int
    default: 15
    vars: [{name: ansible_timeout}]
"""

EXAMPLES = r"""
# ansible_connection: asp.centre.pinned
"""

BLOCK = 1 << 16
NO_STATUS = -1  # paramiko's word for a channel that ended without an exit code


class Connection(ConnectionBase):
    """One SSH connection a worker process, kept while it lives."""

    transport = "asp.centre.pinned"
    has_pipelining = True
    always_pipeline_modules = (
        True  # a module's text goes in by standard input: no file of it stays, and a trip is saved
    )

    _client: paramiko.SSHClient | None = None

    def _connect(self) -> Connection:
        if self._client is None:
            self._client = self._open()
            self._connected = True
        return self

    def _open(self) -> paramiko.SSHClient:
        destination = ssh.Destination(
            self.get_option("host"),
            self.get_option("port"),
            self.get_option("remote_user"),
            self.get_option("host_key"),
            self.get_option("private_key_file") or "",
            self.get_option("timeout"),
        )
        try:
            return ssh.connect(destination)
        except ssh.SettingFault as error:
            raise AnsibleError(str(error)) from error
        except ssh.ConnectFault as error:
            raise AnsibleConnectionFailure(str(error)) from error

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        channel = self._channel()
        try:
            code, output, errors = _run(channel, cmd, in_data)
        except (paramiko.SSHException, EOFError, OSError):
            code = NO_STATUS
        if code == NO_STATUS:
            raise AnsibleConnectionFailure(f"{self.get_option('host')}: the connection ended while {cmd!r} ran")
        return code, output, errors

    def _channel(self) -> paramiko.Channel:
        self._connect()
        assert self._client is not None
        transport = self._client.get_transport()
        try:
            if transport is None or not transport.is_active():
                raise paramiko.SSHException("the connection has ended")
            return transport.open_session(timeout=self.get_option("timeout"))
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise AnsibleConnectionFailure(f"{self.get_option('host')}: {error}") from error

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        with open(in_path, "rb") as stream:
            code, _, errors = self.exec_command(f"cat > {shlex.quote(str(PurePosixPath(out_path)))}", stream.read())
        if code != 0:
            raise AnsibleError(f"{self.get_option('host')}: cannot write {out_path}: {errors.decode(errors='replace')}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        super().fetch_file(in_path, out_path)
        code, content, errors = self.exec_command(f"cat {shlex.quote(str(PurePosixPath(in_path)))}")
        if code != 0:
            raise AnsibleError(f"{self.get_option('host')}: cannot read {in_path}: {errors.decode(errors='replace')}")
        with open(out_path, "wb") as stream:
            stream.write(content)

    def reset(self) -> None:
        self.close()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
        self._connected = False


def _run(channel: paramiko.Channel, command: str, text: bytes | None) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command."""
    channel.exec_command(command)
    if text:
        channel.sendall(text)
    channel.shutdown_write()
    output, errors = bytearray(), bytearray()
    channel.settimeout(0.1)
    while True:  # both streams by turns: one that nobody reads stops the other at the end of its window
        ended = channel.exit_status_ready()
        progress = _drain(channel.recv, channel.recv_ready, output)
        progress |= _drain(channel.recv_stderr, channel.recv_stderr_ready, errors)
        if ended:
            return channel.recv_exit_status(), bytes(output), bytes(errors)
        if not progress:
            channel.status_event.wait(0.02)


def _drain(receive: Any, ready: Any, into: bytearray) -> bool:
    """Everything that is there now; whether that was anything."""
    any_at_all = False
    while ready():
        try:
            part = receive(BLOCK)
        except TimeoutError:
            break
        if not part:
            break
        into += part
        any_at_all = True
    return any_at_all
