"""Keys of SSH as files have them."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


def private(key: ed25519.Ed25519PrivateKey) -> str:
    """As `id_ed25519` has it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()


def public(key: ed25519.Ed25519PrivateKey) -> str:
    """As `id_ed25519.pub` and `authorized_keys` have it."""
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(encoding, form).decode()
