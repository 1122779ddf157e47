"""SSH to a machine whose host key is known beforehand, and to no other: what Ansible and the Docker API go through."""

from __future__ import annotations

import base64
import binascii
import socket
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

PORT = 22
KEY = "ASP_MACHINE_KEY"  # environment variable: file of the operator's own key; without it the agent's are tried
KEEPALIVE = 5  # seconds


class SettingFault(ValueError):
    """A key is no key, or not there."""


class ConnectFault(Exception):
    """A machine cannot be spoken to; the message says why, what was wanted and the next step."""


class OtherKey(Exception):
    """The machine has a host key that is not the register's; argument: the one that was seen."""


class _OnlyThis(paramiko.MissingHostKeyPolicy):
    """No key is known beside the one of the register, so whatever comes here is another."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise OtherKey(public(key))


@dataclass(frozen=True)
class Destination:
    """A machine and whom one comes as. `key_file`: empty for the agent's keys; `seconds`: until it is given up."""

    host: str
    port: int
    user: str
    host_key: str
    key_file: str
    seconds: int


def public(key: paramiko.PKey) -> str:
    """A public key as the register writes it."""
    return f"{key.get_name()} {key.get_base64()}"


def parse(text: str) -> paramiko.PKey:
    """The key that a text of the register stands for; SettingFault when it is none."""
    try:
        kind, data = text.split()[:2]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(data, validate=True))
    except (ValueError, binascii.Error, paramiko.SSHException, UnknownKeyType) as error:
        raise SettingFault(f"host key {text!r}: wanted the type and the key, as ssh-ed25519 AAAA…") from error


def connect(to: Destination) -> paramiko.SSHClient:
    """An open connection. SettingFault for a wrong key of ours, ConnectFault for whatever the machine does."""
    key = parse(to.host_key)
    if to.key_file and not Path(to.key_file).is_file():
        raise SettingFault(f"{KEY}: seen no file {to.key_file}; wanted: the operator's private key")
    client = paramiko.SSHClient()
    client.get_host_keys().add(to.host if to.port == PORT else f"[{to.host}]:{to.port}", key.get_name(), key)
    client.set_missing_host_key_policy(_OnlyThis())
    try:
        client.connect(
            to.host,
            to.port,
            to.user,
            key_filename=to.key_file or None,
            timeout=to.seconds,
            banner_timeout=to.seconds,
            auth_timeout=to.seconds,
            allow_agent=not to.key_file,
            look_for_keys=False,
        )
    except BaseException as error:
        client.close()
        if reason := _reason(to, error):
            raise ConnectFault(reason) from error
        raise
    transport = client.get_transport()
    assert transport is not None
    transport.set_keepalive(KEEPALIVE)
    if isinstance(transport.sock, socket.socket):  # else a short packet waits for the answer to the one before: 350 ms
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # for an exec that takes 17 with it
    return client


def _reason(to: Destination, error: BaseException) -> str:
    """What a fault of paramiko means; empty for one that is not foreseen."""
    if isinstance(error, OtherKey):
        return other_key(to.host, str(error), to.host_key)
    if isinstance(error, paramiko.BadHostKeyException):
        return other_key(to.host, public(error.key), to.host_key)
    if isinstance(error, paramiko.AuthenticationException):
        return f"{to.host}: refuses {to.user} with the operator's key; wanted: that key in its authorized_keys"
    if isinstance(error, OSError | EOFError | paramiko.SSHException):
        return (
            f"{to.host}: no SSH on port {to.port} ({error}); wanted: an answer within {to.seconds} s. "
            "Start the machine, or let 22 through from here"
        )
    return ""


def other_key(host: str, key: str, expected: str) -> str:
    return (
        f"{host}: another host key than the register's; seen: {key}; wanted: {expected}. Find out why on the machine's "
        "own console. If it was installed anew, write its new key into the register and run it with -e act=replace"
    )
