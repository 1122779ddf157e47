"""A browser's part for tests: HTTPS to the edge's published port with any server name, certificate, path and headers.

Unlike a library it sends a path exactly as given and lets the Host differ from the name in the TLS handshake.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from centre.edge import issuance
from inventory.register import Register
from inventory.vault.vault import Secrets
from tests.support import second_factor

SECONDS = 20
TOO_MANY, LONGEST_WAIT = 429, 90  # the answer past a limit; seconds that it is waited for
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Reply:
    """Status, headers (lower-case names, last one wins), body as text, and the certificate that the server showed.

    `url`: where redirects led.
    """

    status: int
    headers: dict[str, str]
    body: str
    certificate: dict = field(default_factory=dict)
    url: str = ""

    @property
    def refusal(self) -> str:
        """The edge's code, which must stand in the page too; empty when it was not the edge that answered."""
        code = self.headers.get("asp-edge-refusal", "")
        assert code in self.body, f"code {code} is not on the page: {self.body[:300]}"
        return code


class EdgeClient:
    """Keeps cookies per host; `certificate` is a file with chain and key. Its clerk answers for the second factor."""

    def __init__(self, register: Register, secrets: Secrets, certificate: Path | None = None):
        self.register = register
        self._port = register.environment.ports.https
        self._context = ssl.create_default_context(cadata=secrets.root_ca.certificate)
        self._username = ""
        if certificate:
            self._context.load_cert_chain(certificate)
            subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
            self._username = str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        self._password = second_factor.password(secrets, self._username)
        self._cookies: dict[str, SimpleCookie] = {}

    def request(
        self,
        host: str,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: str | bytes | None = None,
        host_header: str | None = None,
        verify_name: bool = True,
    ) -> Reply:
        """One request on its own connection. `verify_name` False: the server's certificate need not name the host.

        All tests come from one address; where the edge says that it asked too much, they wait as it says.
        """
        reply = self._once(host, path, method, headers, body, host_header, verify_name)
        deadline = time.monotonic() + LONGEST_WAIT
        while reply.status == TOO_MANY and time.monotonic() < deadline:
            time.sleep(int(reply.headers.get("retry-after", "5")))
            reply = self._once(host, path, method, headers, body, host_header, verify_name)
        return reply

    def _once(
        self,
        host: str,
        path: str,
        method: str,
        headers: dict[str, str] | None,
        body: str | bytes | None,
        host_header: str | None,
        verify_name: bool,
    ) -> Reply:
        context = self._context
        if not verify_name:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self._port), SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert() or {}
            connection = http.client.HTTPConnection(host, self._port, timeout=SECONDS)
            connection.sock = secured
            own = host if self._port == 443 else f"{host}:{self._port}"  # as browsers do
            all_headers = {"Host": host_header or own, **(headers or {})}
            if jar := self._cookies.get(host):
                all_headers["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            data = body.encode() if isinstance(body, str) else body or b""
            for name, value in {**all_headers, "Content-Length": str(len(data))}.items():
                connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            for value in answer.headers.get_all("Set-Cookie") or []:
                self._cookies.setdefault(host, SimpleCookie()).load(value)
            answer_headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, answer_headers, text, certificate)

    def get(self, url: str, **options) -> Reply:
        """GET by address."""
        parts = urlsplit(url)
        return self.request(parts.hostname or "", _target(url), **options)

    def post(self, url: str, form: dict[str, str], **options) -> Reply:
        """POST a form by address."""
        parts = urlsplit(url)
        return self.request(
            parts.hostname or "", _target(url), "POST", {"Content-Type": FORM}, urlencode(form), **options
        )

    def follow(self, url: str, hops: int = 16) -> Reply:
        """The page at which a browser ends up, with its address; a clerk answers for the second factor on the way."""
        return self._walk(url, hops, lambda _: False)

    def sign_in(self, url: str, hops: int = 8) -> Reply:
        """From an address of the identity provider to where it sends the browser back to: that redirect."""
        return self._walk(url, hops, lambda target: not second_factor.asks(self.register, target))

    def _walk(self, url: str, hops: int, over: Callable[[str], bool]) -> Reply:
        """Follow redirects, until one leads to an address where the walk is `over`."""
        trail, reply, answers = [], self.get(url), 0
        for _ in range(hops):
            trail.append(f"{reply.status} {urlsplit(url).netloc}{urlsplit(url).path}")
            if reply.status in (301, 302, 303, 307, 308):
                target = urljoin(url, reply.headers["location"])
                if over(target):
                    return replace(reply, url=url)
                url, reply = target, self.get(target)
                continue
            form = second_factor.answer(reply.body, self._password) if self._username else None
            if form is None or reply.status != 200 or not second_factor.asks(self.register, url):
                return replace(reply, url=url)
            answers += 1
            assert answers < 3, second_factor.refusal(self._username)
            url = urljoin(url, form_action(reply.body))
            reply = self.post(url, form)
        raise AssertionError(f"no end of redirects: {trail}")

    def send(self, url: str, form: dict[str, str]) -> Reply:
        """A form as a browser sends it from a page of the same host."""
        parts = urlsplit(url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": url, "Content-Type": FORM}
        return self.request(parts.hostname or "", _target(url), "POST", headers, urlencode(form))


def _target(url: str) -> str:
    """What of an address stands in the request line."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def hidden(page: str, name: str) -> str:
    """The value of a page's hidden field."""
    match = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert match, f"no field {name}: {page[:800]}"
    return html.unescape(match[1])


def enrol(client: EdgeClient, secrets: Secrets, folder: Path, username: str, ksh: str) -> Path:
    """A clerk's certificate as a workstation gets it: own key, one-time token, the edge's `ca` host. Chain and key."""
    key, request = folder / f"{username}-{ksh}.key", folder / f"{username}-{ksh}.csr"
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        + ["-keyout", str(key), "-out", str(request), "-subj", f"/CN={username}"],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    token = issuance.token(client.register, secrets, username, ksh)
    signed = sign(client, request.read_text(), token)
    assert signed.status == 201, signed.body
    both = folder / f"{username}-{ksh}.pem"
    both.write_text("".join(json.loads(signed.body)["certChain"]) + key.read_text())
    return both


def sign(client: EdgeClient, request: str, token: str) -> Reply:
    """Ask step-ca through the edge to sign a request."""
    host = client.register.environment.pki_host
    headers = {"Content-Type": "application/json"}
    return client.request(host, "/1.0/sign", "POST", headers, json.dumps({"csr": request, "ott": token}))


def form_action(page: str) -> str:
    """Where the first form of a page is sent."""
    match = re.search(r'<form[^>]* action="([^"]+)"', page)
    assert match, f"no form on the page: {page[:500]}"
    return html.unescape(match.group(1))
