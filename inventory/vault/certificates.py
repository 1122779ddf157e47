"""The environment's own certificate authority: a root, two intermediates of it, and leaves for internal services.

step-ca (stack `pki`) works under one intermediate and serves tenants and clerks; the other signs the leaf of every
internal service here, with the vault, so that the hosting speaks TLS before step-ca runs.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_DAYS, INTERMEDIATE_DAYS, LEAF_DAYS = 3650, 1825, 397
RENEW_BEFORE_DAYS = 60
SKEW = dt.timedelta(minutes=5)  # a service whose clock is a little behind still accepts a fresh certificate


@dataclass(frozen=True)
class Pair:
    """A private key with its certificate; `chain` is the certificate followed by its intermediates (all PEM text)."""

    key: str
    certificate: str
    chain: str

    def expires_within(self, days: int) -> bool:
        end = x509.load_pem_x509_certificate(self.certificate.encode()).not_valid_after_utc
        return end - dt.datetime.now(dt.UTC) < dt.timedelta(days=days)

    def hosts(self) -> set[str]:
        """DNS names in the certificate."""
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(names.get_values_for_type(x509.DNSName))


def authority_name(env: str, purpose: str) -> str:
    """Common name of an authority: `root`, `issuing` (step-ca's: clerks and hosts) or `internal`."""
    return f"ASP {env} {purpose} CA"


def root(env: str) -> Pair:
    """A new self-signed root."""
    return _authority(authority_name(env, "root"), ROOT_DAYS, None, path_length=1)


def intermediate(env: str, purpose: str, issuer: Pair) -> Pair:
    """A new intermediate of `issuer` that may sign leaves only."""
    return _authority(authority_name(env, purpose), INTERMEDIATE_DAYS, issuer, path_length=0)


def leaf(name: str, hosts: list[str], issuer: Pair) -> Pair:
    """A new server-and-client certificate of one internal service, for `hosts`, localhost and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in dict.fromkeys([name, *hosts, "localhost"])]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    builder = (
        _builder(name, key.public_key(), _subject(issuer), LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(_usage(ca=False), critical=True)
    )
    return _sign(builder, key, issuer)


def _authority(name: str, days: int, issuer: Pair | None, path_length: int) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(name, key.public_key(), _subject(issuer) if issuer else subject, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(ca=True), critical=True)
    )
    return _sign(builder, key, issuer)


def _builder(name: str, public_key: ec.EllipticCurvePublicKey, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(issuer: Pair) -> x509.Name:
    return x509.load_pem_x509_certificate(issuer.certificate.encode()).subject


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, issuer: Pair | None) -> Pair:
    signer = _key(issuer) if issuer else key
    if issuer:
        parent = x509.load_pem_x509_certificate(issuer.certificate.encode())
        identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
    certificate = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    # A root is never sent by a server, so a chain ends below it.
    parents = issuer.chain if issuer and not _is_root(issuer) else ""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Pair(private, certificate, certificate + parents)


def _key(pair: Pair) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pair.key.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"key of an authority: seen {type(key).__name__}; wanted an elliptic-curve key, as made here")
    return key


def _is_root(pair: Pair) -> bool:
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    return certificate.subject == certificate.issuer


def signing_key() -> str:
    """A new EC P-256 private key (PEM), for a token provisioner."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
