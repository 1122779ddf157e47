"""What probes say of certificates and of lists of revocations, always in the same words."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes


def hexadecimal(serial: int) -> str:
    """A serial number as everything here writes it: upper-case hex without leading zeros."""
    return f"{serial:X}"


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def revoked(crl: bytes) -> dict[str, Any]:
    """A list of revocations (DER): when the next one is due, and the serial numbers on it."""
    parsed = x509.load_der_x509_crl(crl)
    until = parsed.next_update_utc
    return {
        "next_update": until.isoformat() if until else None,
        "serials": sorted(hexadecimal(item.serial_number) for item in parsed),
    }


def described(certificate: x509.Certificate) -> dict[str, Any]:
    """End, serial number and digest of a certificate."""
    return {
        "until": certificate.not_valid_after_utc.isoformat(),
        "serial": hexadecimal(certificate.serial_number),
        "sha256": fingerprint(certificate),
    }


def subject(certificate: x509.Certificate) -> dict[str, list[str]]:
    """The subject's parts by their short names: `CN`, `OU`."""
    parts: dict[str, list[str]] = {}
    for attribute in certificate.subject:
        parts.setdefault(attribute.rfc4514_attribute_name, []).append(str(attribute.value))
    return parts
