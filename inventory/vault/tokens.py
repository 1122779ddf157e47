"""One-time tokens for step-ca: what lets a workstation or the edge obtain a certificate.

A token is signed with a key of the vault, names the one subject it is good for, dies after minutes and works once.
"""

from __future__ import annotations

import datetime as dt
import secrets as random
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc import jwt
from joserfc.jwk import ECKey

from inventory.errors import UnknownName
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets

ENROL, SERVER = "enrol", "server"  # step-ca's provisioners: clerks' certificates, tenant hosts' certificates
ALGORITHM = "ES256"
MINUTES = 10


def token(register: Register, secrets: Secrets, *, username: str, ksh: str, serial: int, minutes: int = MINUTES) -> str:
    """One-time token (JWT) for a clerk's client certificate at one municipality, for `POST https://<ca>/1.0/sign`.

    The request must be for CN=<username>; step-ca adds OU=t<ksh>, O=<municipality> and the serial number. UnknownName
    when no such clerk works for that municipality. `centre.edge.issued` picks serial numbers and records them.
    """
    municipality = register.municipality(ksh)
    clerks = [clerk.username for clerk in register.office_of(municipality).clerks]
    if username not in clerks:
        place = f"office {municipality.office} of municipality {ksh}"
        raise UnknownName(place, "clerk", username, clerks, "does not work here")
    extra = {"asp": {"unit": municipality.tenant, "organization": municipality.name, "serial": str(serial)}}
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
    pair = _pair(key)
    public = pair.as_dict(private=False)
    jwk = {name: str(public[name]) for name in ("crv", "kty", "x", "y")}
    return {**jwk, "kid": pair.thumbprint(), "use": "sig", "alg": ALGORITHM}


def _sign(
    register: Register, issuer: str, key: str, path: str, subject: str, minutes: int, extra: Mapping[str, object]
) -> str:
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
    pair = _pair(key)
    return jwt.encode({"alg": ALGORITHM, "kid": pair.thumbprint(), "typ": "JWT"}, claims, pair, [ALGORITHM])


def _pair(key: str) -> ECKey:
    """A key of the vault; ValueError when it is none for the algorithm."""
    pair = ECKey.import_key(key)
    if pair.curve_name != "P-256" or not pair.is_private:
        raise ValueError("not a key for ES256; wanted: an EC P-256 private key")
    return pair
