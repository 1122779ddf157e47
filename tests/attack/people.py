"""Certificates of an attacker's making, signed by whom they like: the environment's own authority, or another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inventory.vault.certificates import Pair

OIDS = {"CN": NameOID.COMMON_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "O": NameOID.ORGANIZATION_NAME}
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Wish:
    """What a certificate is to say. `days`: begin and end of its validity, from now."""

    subject: Sequence[tuple[str, str]]
    days: tuple[float, float] = (-0.1, 1)
    usages: Sequence[x509.ObjectIdentifier] | None = (CLIENT,)
    authority: bool = False
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))


def issue(wish: Wish, issuer: Pair | None = None) -> Pair:
    """The certificate with its key; without an issuer it signs itself. `chain` holds what lies above it too."""
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(OIDS[part], value) for part, value in wish.subject])
    above = x509.load_pem_x509_certificate(issuer.certificate.encode()) if issuer else None
    signer = serialization.load_pem_private_key(issuer.key.encode(), None) if issuer else wish.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above.subject if above else name)
        .public_key(wish.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=wish.days[0]))
        .not_valid_after(now + dt.timedelta(days=wish.days[1]))
        .add_extension(x509.BasicConstraints(ca=wish.authority, path_length=None), critical=True)
    )
    if wish.usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(wish.usages)), critical=False)
    certificate = builder.sign(cast(Key, signer), hashes.SHA256())
    own = certificate.public_bytes(serialization.Encoding.PEM).decode()
    key = wish.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Pair(key, own, own + (issuer.certificate if issuer else ""))


def file(pair: Pair, folder: Path, name: str, chain: bool = True) -> Path:
    """Certificate (with its chain) and key in one file."""
    path = folder / f"{name}.pem"
    path.write_text((pair.chain if chain else pair.certificate) + pair.key, encoding="utf-8")
    path.chmod(0o600)
    return path
