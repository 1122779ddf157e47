"""What a workstation sees of a centre: TLS for two hosts, the time, an authority that enrols and lists revocations."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inventory.vault import certificates

HOSTS = ["a.asp.test", "ca.asp.test"]
TOKEN = "one-time"
SUBJECT = ((NameOID.COMMON_NAME, "proba.clerk"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "t16054"),
           (NameOID.ORGANIZATION_NAME, "Sajószentpéter"))  # fmt: skip


class Centre:
    """The authority's state: its keys, tokens that were used, serial numbers that were revoked."""

    def __init__(self) -> None:
        self.root = certificates.root("scenario")
        self.issuing = certificates.intermediate("scenario", "issuing", self.root)
        self.leaf = certificates.leaf(HOSTS[0], HOSTS[1:], self.root)
        self.used: set[str] = set()
        self.revoked: list[int] = []
        self.port = 0

    @property
    def variables(self) -> dict[str, Any]:
        """What the scenarios are given."""
        return {"centre_port": self.port, "centre_root": self.root.certificate, "centre_hosts": HOSTS}

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self.issuing.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    @property
    def _issuer(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.issuing.certificate.encode())

    def sign(self, request: str, token: str) -> list[str] | None:
        """The chain (PEM), each certificate for itself; None when the token was used or is none of ours."""
        if token in self.used or not token.startswith(TOKEN):
            return None
        self.used.add(token)
        public = x509.load_pem_x509_csr(request.encode()).public_key()
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(kind, value) for kind, value in SUBJECT]))
            .issuer_name(self._issuer.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=365))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return [certificate.public_bytes(serialization.Encoding.PEM).decode(), self.issuing.certificate]

    def revocations(self) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._issuer.subject)
            .last_update(now)
            .next_update(now + dt.timedelta(days=1))
        )
        for serial in self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@contextmanager
def centre(folder: Path) -> Iterator[Centre]:
    """A centre that serves on this machine; a container reaches it at its gateway."""
    state = Centre()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802, the library's name
            body = state.revocations() if self.path == "/1.0/crl" else b"ok"
            self._answer(200, body)

        def do_POST(self) -> None:  # noqa: N802, the library's name
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            chain = state.sign(question["csr"], question["ott"])
            answer = {"certChain": chain} if chain else {"message": "token already used"}
            self._answer(201 if chain else 401, json.dumps(answer).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests look at what a role says, not at this."""

    for name, text in (("leaf.crt", state.leaf.chain), ("leaf.key", state.leaf.key)):
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.crt", folder / "leaf.key")
    with ThreadingHTTPServer(("0.0.0.0", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()
