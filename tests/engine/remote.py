"""The real daemon behind TLS and behind SSH, on loopback, with certificates and keys made for the occasion."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from pathlib import Path
from typing import Self

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.engine.proxy import REAL


class Listener:
    """Accepts on a free port of 127.0.0.1 and hands each connection to `serve` in a thread."""

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._try, args=(connection,), daemon=True).start()

    def _try(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        raise NotImplementedError


def bridge(near) -> None:
    """Copy both ways between a connection (socket or SSH channel) and the real daemon until one side ends."""
    with socket.socket(socket.AF_UNIX) as far:
        far.connect(REAL)
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()


def _copy(source, target) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class TlsDaemon(Listener):
    """The daemon over TCP with TLS; only clients with a certificate of the authority are let in.

    `folder` gets ca.pem, cert.pem and key.pem of a client, as docker wants them in DOCKER_CERT_PATH.
    """

    def __init__(self, folder: Path):
        authority, server, client = Authority(), folder / "server", folder / "client"
        self.folder = client
        authority.issue(server, "127.0.0.1")
        authority.issue(client, "client")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(server / "cert.pem", server / "key.pem")
        self._context.load_verify_locations(server / "ca.pem")
        self._context.verify_mode = ssl.CERT_REQUIRED

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"tcp://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as secured:
            bridge(secured)


class Authority:
    """A certificate authority of one day."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
        self._certificate = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0))

    def issue(self, folder: Path, name: str) -> None:
        """Write ca.pem, cert.pem and key.pem for `name`, an address or not."""
        key = ec.generate_private_key(ec.SECP256R1())
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key, x509.SubjectAlternativeName([alternative]))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "ca.pem").write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(private)

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(
            self._name,
            subject,
            key.public_key(),
            x509.random_serial_number(),
            now - datetime.timedelta(hours=1),
            now + datetime.timedelta(days=1),
        )
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())


class SshDaemon(Listener):
    """An SSH server that knows one key and one command, `docker system dial-stdio`.

    `options`: what ssh needs to come in with the key made here and to know the server by its own.
    """

    COMMAND = b"docker system dial-stdio"

    def __init__(self, folder: Path):
        self._folder = folder
        self._own = paramiko.RSAKey.generate(2048)
        self.guest = paramiko.RSAKey.generate(2048)
        self.guest.write_private_key_file(str(folder / "key"))
        self.sessions = 0

    def __enter__(self) -> Self:
        super().__enter__()
        hosts = self._folder / "known_hosts"
        hosts.write_text(f"[127.0.0.1]:{self.port} {self._own.get_name()} {self._own.get_base64()}\n", encoding="utf-8")
        self.options = [
            "-F",
            "none",
            "-i",
            str(self._folder / "key"),
            "-o",
            f"UserKnownHostsFile={hosts}",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "IdentitiesOnly=yes",
        ]
        return self

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ssh://operator@127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with paramiko.Transport(connection) as transport:
            transport.add_server_key(self._own)
            transport.start_server(server=_Guests(self.guest, self.COMMAND))
            channel = transport.accept(30)
            if channel is not None:
                self.sessions += 1
                bridge(channel)
                channel.close()


class _Guests(paramiko.ServerInterface):
    def __init__(self, key: paramiko.PKey, command: bytes):
        self._key, self._command = key, command

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        good = username == "operator" and key == self._key
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        return command == self._command
