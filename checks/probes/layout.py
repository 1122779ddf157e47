"""Where a workstation keeps what the checks look at, and what its browser policies should be."""

from __future__ import annotations

from inventory.register import Municipality, Register, Workstation

SSH_USER = "asp-admin"


def files(municipality: Municipality, station: Workstation) -> dict:
    """Paths and programs for the remote script."""
    home = f"/home/{station.clerk}"
    return {
        "certificate": f"/etc/asp/certificates/{municipality.tenant}.crt",
        "key": f"/etc/asp/certificates/{municipality.tenant}.key",
        "bundle": "/etc/ssl/certs/ca-certificates.crt",
        "nss": {"chromium": f"{home}/.pki/nssdb", "firefox": f"{home}/.mozilla/firefox/*"},
        "policies": {
            "chromium": "/etc/chromium/policies/managed/asp.json",
            "firefox": "/etc/firefox/policies/policies.json",
        },
        "browsers": {"chromium": ["chromium", "--version"], "firefox": ["firefox-esr", "--version"]},
    }


def policies(register: Register, municipality: Municipality, station: Workstation) -> dict[str, str]:
    return {}


def compare(found: str | None, wanted: str) -> dict:
    return {}
