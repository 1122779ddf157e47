"""A clerk's certificate, as a workstation obtains it: own key, one-time token, the edge's host of step-ca."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from centre.edge import issuance
from centre.reach.runtime import RuntimeFault, Unreachable
from inventory.register import Register
from inventory.vault.vault import Secrets

SECONDS = 20
EDGE = "127.0.0.1"  # the edge publishes its port on this machine


@dataclass(frozen=True)
class Certificate:
    """A key with its certificate and the authorities between it and the root."""

    key: ec.EllipticCurvePrivateKey
    own: x509.Certificate
    between: list[x509.Certificate]

    @property
    def serial(self) -> int:
        return self.own.serial_number

    def bundle(self, name: str, password: str) -> bytes:
        """PKCS #12, as browsers and systems' stores import it."""
        sealed = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(name.encode(), self.key, self.own, self.between, sealed)


def enrol(register: Register, secrets: Secrets, username: str, ksh: str, hours: int) -> Certificate:
    """A certificate that lets `username` in at one municipality for some hours.

    RuntimeFault with step-ca's words; Barred after a revocation.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, username)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    body = {
        "csr": request.public_bytes(serialization.Encoding.PEM).decode(),
        "ott": issuance.token(register, secrets, username, ksh),
        "notAfter": f"{hours}h",
    }
    chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in _sign(register, secrets, body)]
    return Certificate(key, chain[0], chain[1:])


def _sign(register: Register, secrets: Secrets, body: dict[str, str]) -> list[str]:
    host, port = register.environment.pki_host, register.environment.ports.https
    context = ssl.create_default_context(cadata=secrets.root_ca.certificate)
    try:
        with (
            socket.create_connection((EDGE, port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
            connection.sock = secured
            connection.request("POST", "/1.0/sign", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
    except OSError as error:
        raise Unreachable(f"the edge at {EDGE}:{port} does not answer for {host}: {error}. See asp status") from error
    if answer.status != 201:
        raise RuntimeFault(f"step-ca at {host}: seen {answer.status} {text.strip()[:300]}, wanted a certificate")
    chain: list[str] = json.loads(text)["certChain"]
    return chain
