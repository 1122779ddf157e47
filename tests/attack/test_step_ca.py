"""step-ca through the edge: nobody gets, renews or revokes a certificate without the proof that is theirs."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets as random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey

from centre.edge import issuance
from inventory.names import Port
from inventory.vault import tokens
from inventory.vault.certificates import signing_key
from tests.attack.browser import Browser
from tests.attack.foothold import NETWORK
from tests.attack.registry import Tries, attack, control
from tests.attack.target import Target
from tests.attack.wire import Answer


def csr(name: str, unit: str = "", hosts: tuple[str, ...] = (), authority: bool = False) -> str:
    """A request for a certificate."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    parts += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), False)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def call(target: Target, path: str, body: dict, browser: Browser | None = None, method: str = "POST") -> Answer:
    """A request to step-ca through the edge."""
    return (browser or target.anyone()).ask(
        target.register.environment.pki_host,
        path,
        method,
        {"Content-Type": "application/json"},
        json.dumps(body).encode(),
    )


def proof(target: Target, key: str | None = None, path: str = "/1.0/sign", **changes: object) -> str:
    """A one-time token of our own making, from an attacker's key unless another is given."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    username = target.real_clerk(target.own)
    claims = {
        "iss": tokens.ENROL,
        "aud": f"https://{target.register.environment.pki_host}{path}",
        "sub": username,
        "iat": now,
        "nbf": now - 60,
        "exp": now + 300,
        "jti": random.token_hex(16),
        "asp": {"unit": target.own.tenant, "organization": target.own.name, "serial": str(random.randbits(64))},
        **changes,
    }
    pair = ECKey.import_key(key or signing_key())
    return jwt.encode({"alg": "ES256", "kid": _kid(target), "typ": "JWT"}, claims, pair, ["ES256"])


def _kid(target: Target) -> str:
    return str(tokens.public_jwk(target.secrets.enrol_key)["kid"])


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    name = target.real_clerk(target.own)
    token = issuance.token(target.register, target.secrets, name, target.own.ksh)
    answer = call(target, "/1.0/sign", {"csr": csr(name), "ott": token})
    control(answer.status == 201, answer)


def _unsigned(target: Target) -> str:
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    claims = json.loads(base64.urlsafe_b64decode(proof(target).split(".")[1] + "=="))
    return f"{part({'alg': 'none', 'kid': _kid(target)})}.{part(claims)}."


def _by_public_key(target: Target) -> str:
    """The old confusion: the public key taken for a shared secret."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": _kid(target)}).encode()).rstrip(b"=").decode()
    text = f"{head}.{proof(target).split('.')[1]}"
    public = json.dumps(tokens.public_jwk(target.secrets.enrol_key)).encode()
    mac = base64.urlsafe_b64encode(hmac.digest(public, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{text}.{mac}"


def _genuine(target: Target, minutes: int = 10) -> str:
    clerk = target.real_clerk(target.own)
    return issuance.token(target.register, target.secrets, clerk, target.own.ksh, minutes=minutes)


WAYS: dict[str, Callable[[Target], tuple[str, str]]] = {
    "none": lambda t: (csr(t.real_clerk(t.own)), ""),
    "other-key": lambda t: (csr(t.real_clerk(t.own)), proof(t)),
    "unsigned": lambda t: (csr(t.real_clerk(t.own)), _unsigned(t)),
    "public-key-as-secret": lambda t: (csr(t.real_clerk(t.own)), _by_public_key(t)),
    "expired": lambda t: (csr(t.real_clerk(t.own)), _genuine(t, minutes=-5)),
    "other-name": lambda t: (csr("proba.masik"), _genuine(t)),
    "other-audience": lambda t: (csr(t.real_clerk(t.own)), proof(t, t.secrets.enrol_key, path="/1.0/revoke")),
    "not-yet": lambda t: (csr(t.real_clerk(t.own)), proof(t, t.secrets.enrol_key, nbf=2**31, iat=2**31, exp=2**31 + 9)),
    "ledgers-key": lambda t: (csr(t.real_clerk(t.own)), proof(t, t.secrets.ledger_key)),
    "servers-token": lambda t: (csr(t.real_clerk(t.own)), tokens.server_token(t.register, t.secrets, t.own)),
    "revocation-token": lambda t: (csr(t.real_clerk(t.own)), tokens.revocation_token(t.register, t.secrets, 1)),
    "no-request": lambda t: ("", _genuine(t)),
    "more-hosts": lambda t: (csr(t.real_clerk(t.own), hosts=(t.other.host,)), _genuine(t)),
}


@attack("P01", "step-ca", "a clerk's certificate by a token that is not good for it", WAYS, short=True)
def test_sign(target: Target, tries: Tries, way) -> None:
    request, token = way(target)
    answer = call(target, "/1.0/sign", {"csr": request, "ott": token})
    tries.holds(answer.status in (400, 401, 403, 429), answer)


@attack("P02", "step-ca", "a token used twice", short=True)
def test_replay(target: Target, tries: Tries) -> None:
    token, name = _genuine(target), target.real_clerk(target.own)
    control(call(target, "/1.0/sign", {"csr": csr(name), "ott": token}).status == 201, "first use")
    for _ in range(2):
        answer = call(target, "/1.0/sign", {"csr": csr(name), "ott": token})
        tries.holds(answer.status in (400, 401, 403), answer)


def signed(answer: Answer) -> x509.Certificate:
    return x509.load_pem_x509_certificate(json.loads(answer.text)["crt"].encode())


@attack(
    "P03",
    "step-ca",
    "the request wishes more than the token says",
    {
        "unit": {"unit": "{other}"},
        "authority": {"authority": True},
    },
)
def test_wishes(target: Target, tries: Tries, way: dict[str, Any]) -> None:
    name = target.real_clerk(target.own)
    wish: dict[str, Any] = {
        key: value.format(other=target.other.tenant) if isinstance(value, str) else value for key, value in way.items()
    }
    answer = call(target, "/1.0/sign", {"csr": csr(name, **wish), "ott": _genuine(target)})
    if answer.status != 201:
        tries.holds(answer.status in (400, 401, 403), answer)
        return
    certificate = signed(answer)
    units = [a.value for a in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
    tries.holds(units == [target.own.tenant], units)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        tries.holds(not constraints.ca, "an authority")
    except x509.ExtensionNotFound:
        tries.holds(True, "no authority")


@attack(
    "P04",
    "step-ca",
    "a longer validity than the centre gives",
    {
        "years": {"notAfter": "87600h"},
        "begins-early": {"notBefore": "-8760h", "notAfter": "8760h"},
    },
)
def test_validity(target: Target, tries: Tries, way: dict[str, str]) -> None:
    answer = call(target, "/1.0/sign", {"csr": csr(target.real_clerk(target.own)), "ott": _genuine(target), **way})
    if answer.status != 201:
        tries.holds(answer.status in (400, 401, 403), answer)
        return
    certificate = x509.load_pem_x509_certificate(json.loads(answer.text)["crt"].encode())
    lifetime = dt.timedelta(days=target.register.environment.pki.client_certificate_days, minutes=5)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    tries.holds(end - begin <= lifetime and end <= dt.datetime.now(dt.UTC) + lifetime, f"valid from {begin} to {end}")


@attack(
    "P05",
    "step-ca",
    "renewing, changing keys or revoking without one's own proof",
    {
        "renew": "/1.0/renew",
        "rekey": "/1.0/rekey",
        "revoke": "/1.0/revoke",
        "renew-root-path": "/renew",
        "rekey-spelling": "/1.0/%72ekey",
        "revoke-root-path": "/revoke",
    },
    short=True,
)
def test_confused_deputy(target: Target, tries: Tries, way: str) -> None:
    name = target.real_clerk(target.own)
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"csr": csr(name)},
        {"serial": "1", "passive": True, "reasonCode": 0},
        {"serial": "1", "passive": True, "ott": "x"},
    )
    for browser in (target.anyone(), target.holder(target.own, name)):
        for body in bodies:
            answer = call(target, way, body, browser)
            tries.holds(answer.status in (400, 401, 403, 404), answer)


@attack("P06", "step-ca", "revoking somebody else's certificate with a token for another")
def test_revoking_others(target: Target, tries: Tries) -> None:
    token = tokens.revocation_token(target.register, target.secrets, 12345)
    answer = call(target, "/1.0/revoke", {"serial": "54321", "passive": True, "reasonCode": 0, "ott": token})
    tries.holds(answer.status in (400, 401, 403, 404), answer)
    for other in (proof(target, path="/1.0/revoke"), _genuine(target)):
        answer = call(target, "/1.0/revoke", {"serial": "54321", "passive": True, "reasonCode": 0, "ott": other})
        tries.holds(answer.status in (400, 401, 403, 404), answer)


@attack(
    "P07",
    "step-ca",
    "what a workstation does not need",
    {
        "ssh": ("/1.0/ssh/sign", "/ssh/sign", "/1.0/ssh/config"),
        "administration": ("/admin/provisioners", "/admin/admins"),
        "provisioners": ("/1.0/provisioners", "/provisioners"),
        "acme": ("/acme/acme/directory", "/1.0/acme/acme/directory"),
        "scep": ("/scep/x?operation=GetCACaps",),
        "federation": ("/1.0/federation", "/federation"),
        "version": ("/version",),
        "metrics": ("/metrics", "/debug/pprof/"),
    },
)
def test_other_endpoints(target: Target, tries: Tries, way: tuple[str, ...]) -> None:
    for path in way:
        for method in ("GET", "POST"):
            answer = call(target, path, {}, method=method)
            tries.holds(answer.status in (400, 403, 404, 405), f"{method} {path}: {answer}")


@attack("P08", "step-ca", "a server certificate for another host by the edge's kind of token")
def test_server_certificates(target: Target, tries: Tries) -> None:
    token = tokens.server_token(target.register, target.secrets, target.own)
    for hosts in (
        (target.other.host,),
        (target.own.host, target.other.host),
        ("*." + target.register.environment.domain,),
    ):
        answer = call(target, "/1.0/sign", {"csr": csr(target.own.host, hosts=hosts), "ott": token})
        tries.holds(answer.status in (400, 401, 403), f"{hosts}: {answer}")


@attack("P09", "step-ca", "from an app server, with that server's own certificate")
def test_from_an_app_server(target: Target, tries: Tries) -> None:
    base = f"https://{target.register.names.pki}:{Port.PKI:d}"
    for system in target.systems[:3]:
        for path in ("/1.0/renew", "/1.0/rekey", "/1.0/provisioners"):
            call_text = f"https({base + path!r}, 'POST', '{{}}')"
            status, text = target.foothold(system).run(f"{NETWORK}\nprint(json.dumps({call_text}))")
            tries.holds(status in (0, 400, 401, 403, 404), f"{system}: {path}: {status} {text[:80]}")
