"""One-time tokens for step-ca: what lets a workstation or the edge obtain a certificate.

A token is signed with a key of the vault, names the one subject it is good for, dies after minutes and works once.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets as random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from inventory.errors import Fault, RegisterError
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets

ENROL, SERVER = "enrol", "server"  # step-ca's provisioners: clerks' certificates, tenant hosts' certificates


MINUTES = 10


def token(register: Register, secrets: Secrets, *, username: str, ksh: str, minutes: int = MINUTES) -> str:
    """One-time token (JWT) for a clerk's client certificate at one municipality, for `POST https://<ca>/1.0/sign`.

    The request must be for CN=<username>; step-ca adds OU=t<ksh> and O=<municipality>. RegisterError when no such
    clerk works for that municipality.
    """
    municipality = register.municipality(ksh)
    known = [clerk.username for clerk in register.office_of(municipality).clerks]
    if username not in known:
        place = f"office {municipality.office} of municipality {ksh}"
        raise RegisterError([Fault(place, "clerk", username, "works not here", f"Known: {', '.join(known)}")])
    extra = {"asp": {"unit": municipality.tenant, "organization": municipality.name}}
    return _sign(register, ENROL, secrets.enrol_key, "/1.0/sign", username, minutes, extra)


def server_token(register: Register, secrets: Secrets, municipality: Municipality, minutes: int = MINUTES) -> str:
    """One-time token for the server certificate of a tenant's host; the edge presents it."""
    host = municipality.host
    return _sign(register, SERVER, secrets.server_key, "/1.0/sign", host, minutes, {"sans": [host]})


def revocation_token(register: Register, secrets: Secrets, serial: int, minutes: int = MINUTES) -> str:
    """One-time token to revoke the certificate with a serial number, for `POST https://<ca>/1.0/revoke`."""
    return _sign(register, ENROL, secrets.enrol_key, "/1.0/revoke", str(serial), minutes, {})


def fingerprint(secrets: Secrets) -> str:
    """SHA-256 of the environment's root certificate (lower-case hex): by it a workstation knows the right CA."""
    return x509.load_pem_x509_certificate(secrets.root_ca.certificate.encode()).fingerprint(hashes.SHA256()).hex()


def public_jwk(key: str) -> dict[str, str]:
    """Public half of an EC P-256 private key (PEM) as a JWK; `kid` is its RFC 7638 thumbprint."""
    numbers = _private(key).public_key().public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": _number(numbers.x), "y": _number(numbers.y)}
    thumbprint = _b64(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())
    return {**jwk, "kid": thumbprint, "use": "sig", "alg": "ES256"}


def _sign(register: Register, issuer: str, key: str, path: str, subject: str, minutes: int, extra: dict) -> str:
    now = int(dt.datetime.now(dt.UTC).timestamp())
    claims = {
        "iss": issuer,
        "aud": f"https://{register.environment.pki_host}{path}",
        "sub": subject,
        "iat": now,
        "nbf": now - 60,  # a centre whose clock is a little behind still accepts it
        "exp": now + minutes * 60,
        "jti": random.token_hex(32),
        **extra,
    }
    header = {"alg": "ES256", "kid": public_jwk(key)["kid"], "typ": "JWT"}
    signed = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(_private(key).sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _private(key: str) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError("wanted: an EC P-256 private key")
    return loaded


def _number(value: int) -> str:
    return _b64(value.to_bytes(32, "big"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
