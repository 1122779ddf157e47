"""Revocation of clerks' certificates at step-ca; the edge then refuses them."""

from __future__ import annotations

from centre.reach.runtime import Runtime
from centre.reach.tunnel import HttpsSession
from inventory.names import Port
from inventory.register import Register
from inventory.vault import tokens, vault
from inventory.vault.vault import Secrets


def revoke(register: Register, serial: str | int, secrets: Secrets | None = None) -> None:
    """Revoke a certificate that step-ca issued. `serial`: decimal, or hex with `0x` or colons.

    The edge refuses it within register.pki.crl_refresh_seconds. Revoking it again is no error. RuntimeFault with
    step-ca's words otherwise.
    """
    number = serial_number(serial)
    secrets = secrets or vault.load(register)
    proof = tokens.revocation_token(register, secrets, number)
    body = {"serial": str(number), "ott": proof, "passive": True, "reasonCode": 0, "reason": "withdrawn by operator"}
    with HttpsSession(Runtime(register), register.names.pki, Port.PKI, secrets.root_ca.certificate) as session:
        answer = session.request("POST", "/1.0/revoke", body, accept=(200, 400, 401, 403, 409))
        if answer.status != 200 and "already revoked" not in answer.text:
            answer.refuse(f"revoking certificate {number}")


def serial_number(serial: str | int) -> int:
    """A serial number from decimal, `0x` hex or colon-separated hex; ValueError otherwise."""
    if isinstance(serial, int):
        return serial
    text = serial.strip().lower()
    return int(text.replace(":", "").removeprefix("0x"), 16) if text.startswith("0x") or ":" in text else int(text)
