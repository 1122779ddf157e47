"""Server certificates of tenants' hosts: the key is made here and never leaves; the environment's step-ca signs."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from asp_edge.settings import EdgeFault, Settings

SECONDS = 20


def openssl(*arguments: str, data: bytes | None = None) -> bytes:
    """Output of an openssl command fed with `data`; EdgeFault with what it said when it fails."""
    result = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=SECONDS)
    if result.returncode != 0:
        raise EdgeFault(f"openssl {arguments[0]}: {result.stderr.decode(errors='replace').strip()[-500:]}")
    return result.stdout


def request(settings: Settings, path: str, body: dict[str, str] | None = None) -> bytes:
    """Ask step-ca, whose certificate must be of this environment's root; EdgeFault with its words on refusal."""
    context = ssl.create_default_context(cafile=str(settings.root))
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(settings.pki + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call, timeout=SECONDS, context=context) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        detail = error.read().decode(errors="replace")[:500]
        raise EdgeFault(f"step-ca refuses {path}: {error.code} {detail}") from error
    except OSError as error:
        raise EdgeFault(f"step-ca does not answer at {settings.pki}: {error}") from error


def issue(settings: Settings, host: str, token: str) -> str:
    """A new key for `host` with its certificate, as one PEM text: chain, then key."""
    output = openssl(
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "-"),
        *("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"),
    ).decode()
    marker = "-----BEGIN CERTIFICATE REQUEST-----"
    key, _, rest = output.partition(marker)
    signed = json.loads(request(settings, "/1.0/sign", {"csr": marker + rest, "ott": token}))
    return "".join(pem.strip() + "\n" for pem in [*signed["certChain"], key])


def describe(file: Path) -> dict[str, Any] | None:
    """What a host's certificate says (None when there is none): serial (hex), end (ISO 8601), DNS names."""
    if not file.exists():
        return None
    text = openssl(
        *("x509", "-in", str(file), "-noout", "-serial", "-enddate", "-dateopt", "iso_8601", "-ext", "subjectAltName")
    ).decode()
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    names = re.findall(r"DNS:([^,\s]+)", text)
    return {"serial": fields["serial"], "not_after": fields["notAfter"].replace(" ", "T"), "hosts": sorted(names)}
