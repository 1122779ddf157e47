"""SCRAM-SHA-256 verifiers (RFC 5803, as PostgreSQL stores them), so that no password ever travels to the server."""

import base64
import hashlib
import hmac

# PostgreSQL's default. Our passwords are 256-bit random, so more would add nothing and each costs time per tenant.
ITERATIONS = 4096


def verifier(password: str, role: str) -> str:
    """The verifier of an ASCII `password` for `role`, as in `pg_authid.rolpassword`.

    The salt is derived from both, so the same input always gives the same text: a run that changes nothing can be seen
    to change nothing. That is safe for random 256-bit passwords only, which are the only ones here.
    """
    if not password.isascii():
        raise ValueError("verifier: wanted an ASCII password (no SASLprep is done here)")
    salt = hmac.digest(password.encode(), b"asp-scram-salt:" + role.encode(), "sha256")[:16]
    return salted_verifier(password, salt)


def salted_verifier(password: str, salt: bytes) -> str:
    """The verifier of a password under a given salt (RFC 5802, section 3)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
