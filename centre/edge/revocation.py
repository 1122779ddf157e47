"""Revocation of clerks' certificates at step-ca, and whether the edge refuses them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection

from cryptography import x509

from centre.reach.runtime import Runtime, RuntimeFault
from centre.reach.tunnel import HttpsSession
from inventory.names import Port
from inventory.register import Register
from inventory.vault import tokens, vault
from inventory.vault.vault import Secrets
from stacks.configs.places import ROOT_FILE

UNSPECIFIED = 0  # RFC 5280's reason code
RELOAD_SECONDS = 20  # besides pki.crl_refresh_seconds: the edge fetches, verifies and loads the list


def revoke(register: Register, serial: str | int, secrets: Secrets | None = None) -> None:
    """Revoke one certificate at step-ca. `serial`: decimal, or hex with `0x` or colons.

    The edge refuses it within register.pki.crl_refresh_seconds. Revoking it again is no error. RuntimeFault with
    step-ca's words otherwise. It is written down nowhere else: operators use `centre.edge.withdrawal`.
    """
    revoke_all(register, secrets or vault.load(register), Runtime(register), {serial_number(serial): UNSPECIFIED})


def revoke_all(register: Register, secrets: Secrets, runtime: Runtime, codes: dict[int, int]) -> None:
    """Revoke certificates at step-ca. `codes`: serial number → RFC 5280's reason code."""
    with HttpsSession(runtime, register.names.pki, Port.PKI, secrets.root_ca.certificate) as session:
        for number, code in codes.items():
            body = {
                "serial": str(number),
                "ott": tokens.revocation_token(register, secrets, number),
                "passive": True,
                "reasonCode": code,
                "reason": "revoked by an operator",
            }
            answer = session.request("POST", "/1.0/revoke", body, accept=(200, 400, 401, 403, 409))
            if answer.status != 200 and "already revoked" not in answer.text:
                answer.refuse(f"revoking certificate {number}")


def serials_at_authority(register: Register, runtime: Runtime) -> set[int]:
    """Serial numbers on step-ca's list."""
    url = f"https://localhost:{Port.PKI:d}/1.0/crl"
    script = f"curl -fsS --cacert {ROOT_FILE} {url} | base64 -w0"
    der = base64.b64decode(runtime.check(register.names.pki, ["bash", "-o", "pipefail", "-c", script]))
    return {entry.serial_number for entry in x509.load_der_x509_crl(der)}


def serials_at_edge(register: Register, runtime: Runtime) -> set[int]:
    """Serial numbers that the edge refuses on every new connection, by HAProxy's own answer."""
    answer = runtime.check(register.names.edge, ["asp-edge", "revoked"], stdin="{}")
    return {int(serial, 16) for serial in json.loads(answer)["serials"]}


def await_refusal(register: Register, runtime: Runtime, serials: Collection[int]) -> float:
    """Wait until the edge refuses all of them; the seconds it took. RuntimeFault when it does not in time."""
    limit = register.environment.pki.crl_refresh_seconds + RELOAD_SECONDS
    start = time.monotonic()
    while missing := set(serials) - serials_at_edge(register, runtime) if serials else set():
        if time.monotonic() - start > limit:
            raise RuntimeFault(
                f"{register.names.edge}: {len(missing)} of {len(serials)} certificates are still let in {limit} s "
                "after their revocation, though step-ca has it. See the edge's log, and "
                "docs/runbooks/pki.md (The revocation list is stale); then run the same command again"
            )
        time.sleep(0.25)
    return time.monotonic() - start


def serial_number(serial: str | int) -> int:
    """A serial number from decimal, `0x` hex or colon-separated hex; ValueError otherwise."""
    if isinstance(serial, int):
        return serial
    text = serial.strip().lower()
    return int(text.replace(":", "").removeprefix("0x"), 16) if text.startswith("0x") or ":" in text else int(text)
