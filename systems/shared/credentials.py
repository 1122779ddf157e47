"""Derived credentials: one key per system (or purpose) gives every tenant its own password without a vault of them.

Standard library only: the same code runs on the control node and in the app servers.
"""

import base64
import hashlib
import hmac


def derive(key: bytes, tenant: str, purpose: str, version: int = 1) -> str:
    """256-bit credential as 43 characters of URL-safe text: HMAC-SHA256(key, "tenant:purpose:vN")."""
    digest = hmac.digest(key, f"{tenant}:{purpose}:v{version}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
