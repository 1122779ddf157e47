"""Live HTTPS to the edge's published port, as somebody outside would: own SNI, own certificate or none."""

from __future__ import annotations

import http.client
import socket
import ssl
import warnings
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from centre.reach.runtime import Unreachable
from checks.probes.certificates import described
from inventory.register import Register

# The edge publishes on every address of the machine whose Docker daemon runs it, which is where checks run too.
EDGE_ADDRESS = "127.0.0.1"
SECONDS = 5
REFUSAL = "asp-edge-refusal"  # header in which the edge names why it refused


@dataclass(frozen=True)
class Answer:
    """Status, header values by lower-case name, and the code of the edge's refusal (empty: none)."""

    status: int
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return self.headers.get(REFUSAL, "")

    def as_dict(self) -> dict[str, Any]:
        return {"status": self.status, "code": self.code}


class Edge:
    """The published ports of one environment. `root`: its root certificate (PEM)."""

    def __init__(self, register: Register, root: str):
        self._ports = register.environment.ports
        self._root = root

    def get(self, host: str, path: str, headers: dict[str, str] | None = None, verify: bool = True) -> Answer:
        """One request without a client certificate. Unreachable when nobody answers."""
        context = self._context(verify)
        connection = http.client.HTTPConnection(host, self._ports.https, timeout=SECONDS)
        try:
            with socket.create_connection((EDGE_ADDRESS, self._ports.https), SECONDS) as plain:
                connection.sock = context.wrap_socket(plain, server_hostname=host)
                connection.request("GET", path, headers=headers or {})
                return _answer(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"https://{host}{path}: {error}") from error
        finally:
            connection.close()

    def get_plain(self, host: str, path: str) -> Answer:
        """One request at the port without TLS."""
        connection = http.client.HTTPConnection(EDGE_ADDRESS, self._ports.http, timeout=SECONDS)
        try:
            connection.request("GET", path, headers={"Host": host})
            return _answer(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"http://{host}{path}: {error}") from error
        finally:
            connection.close()

    def certificate(self, host: str) -> dict[str, Any]:
        """The certificate that the edge shows for a host, and whether it is trusted for it."""
        with self._connect(host, self._context(verify=False)) as secured:
            leaf = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
        trusted, reason = True, ""
        try:
            self._connect(host, self._context(verify=True)).close()
        except ssl.SSLCertVerificationError as error:
            trusted, reason = False, error.verify_message
        return {
            "names": _names(leaf),
            "trusted": trusted,
            "why_not": reason,
            "issuer": leaf.issuer.rfc4514_string(),
            **described(leaf),
        }

    def accepts(self, host: str, version: ssl.TLSVersion) -> str:
        """`accepted` or `refused`: whether a handshake of exactly this TLS version succeeds."""
        context = self._context(verify=False)
        # The library's own floor must not answer in the server's place.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are offered on purpose
            context.minimum_version = version
            context.maximum_version = version
        try:
            with self._connect(host, context) as secured:
                return "accepted" if secured.version() else "refused"
        except ssl.SSLError as error:
            if "ALERT_PROTOCOL_VERSION" in str(error).upper().replace(" ", "_"):
                return "refused"
            raise ValueError(f"TLS handshake of {version.name} told nothing: {error}") from error

    def _connect(self, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            plain = socket.create_connection((EDGE_ADDRESS, self._ports.https), SECONDS)
        except OSError as error:
            raise Unreachable(f"port {self._ports.https} of the edge: {error}") from error
        try:
            return context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _context(self, verify: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self._root)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _answer(reply: http.client.HTTPResponse) -> Answer:
    reply.read()
    return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()})


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)
