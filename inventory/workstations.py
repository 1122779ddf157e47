"""What a municipal workstation should have: where its files lie, and its browsers' policies as plain data.

Playbooks bring it there, checks compare with it. Nothing here touches a workstation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from inventory.errors import Fault, RegisterError
from inventory.models import Clerk, Municipality, Office, Workstation
from inventory.register import Register
from inventory.vault.certificates import authority_name

CLERK_ACCOUNT = "ugyintezo"  # the clerk's desktop account; who signs in there is the register's business
CLERK_HOME = f"/home/{CLERK_ACCOUNT}"
CERTIFICATES_DIR = f"{CLERK_HOME}/.config/asp"  # <tenant>.crt (with its chain) and <tenant>.key
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CHROMIUM_STORE = f"{CLERK_HOME}/.pki/nssdb"
FIREFOX_PROFILES = f"{CLERK_HOME}/.config/mozilla/firefox"
# Folders of NSS stores as shell patterns: a Firefox profile's name is random.
NSS_STORES = {"chromium": CHROMIUM_STORE, "firefox": f"{FIREFOX_PROFILES}/*.default-esr"}
POLICY_FILES = {
    "chromium": "/etc/chromium/policies/managed/asp.json",
    "firefox": "/etc/firefox/policies/policies.json",
}
BROWSERS = tuple(POLICY_FILES)


@dataclass(frozen=True)
class Seat:
    """A workstation with the clerk who sits at it and the municipalities served there, the office's seat first."""

    register: Register
    office: Office
    station: Workstation

    @property
    def clerk(self) -> Clerk:
        return self.register.clerk_of(self.station)

    @property
    def tenants(self) -> list[Municipality]:
        return [municipality for municipality in self.register.members(self.office) if municipality.joined]

    @property
    def issuer(self) -> str:
        """Common name of the authority that signs clerks' certificates."""
        return authority_name(self.register.environment.id, "issuing")

    def certificate(self, municipality: Municipality) -> str:
        """Path of the clerk's certificate for one municipality; the key is beside it."""
        return f"{CERTIFICATES_DIR}/{municipality.tenant}.crt"

    def key(self, municipality: Municipality) -> str:
        return f"{CERTIFICATES_DIR}/{municipality.tenant}.key"

    @property
    def root_file(self) -> str:
        """The environment's root where the operating system's store is made from."""
        return f"/usr/local/share/ca-certificates/asp-{self.register.environment.id}.crt"

    @property
    def paths(self) -> dict[str, Any]:
        """Where everything of ours lies there, and the clerk's account."""
        return {
            "account": CLERK_ACCOUNT,
            "bundle": SYSTEM_BUNDLE,
            "certificates": CERTIFICATES_DIR,
            "chromium": CHROMIUM_STORE,
            "firefox": FIREFOX_PROFILES,
            "policies": POLICY_FILES,
            "root": self.root_file,
        }

    def policies(self, browser: str) -> dict[str, Any]:
        """Our part of a browser's managed policy. What municipal IT set besides stays (role endpoint_browser)."""
        return {"chromium": self._chromium, "firefox": self._firefox}[browser]()

    def _origins(self) -> list[str]:
        environment = self.register.environment
        return [*(tenant.origin for tenant in self.tenants), environment.origin(environment.identity_host)]

    def _chromium(self) -> dict[str, Any]:
        origins = self._origins()
        policies: dict[str, Any] = {
            "AutoSelectCertificateForUrls": self._selections(),
            "PopupsAllowedForUrls": origins,  # systems open in a new window
            "CookiesAllowedForUrls": origins,
            "BackgroundModeEnabled": False,
            "BrowserSignin": 0,
            "DefaultBrowserSettingEnabled": False,
            "MetricsReportingEnabled": False,
            "PasswordManagerEnabled": False,  # nobody types a password here
            "SSLErrorOverrideAllowed": False,
            "SyncDisabled": True,
        }
        if self.tenants:
            home = self.tenants[0].url()
            policies |= {
                "HomepageIsNewTabPage": False,
                "HomepageLocation": home,
                "RestoreOnStartup": 4,  # the URLs below
                "RestoreOnStartupURLs": [home],
                "ShowHomeButton": True,
            }
        return policies

    def _selections(self) -> list[str]:
        """Which certificate goes to which host, without asking: the member's own, and the seat's to any other of ours.

        The seat's signs in at the identity host, and saves a clerk who looks at another municipality's public pages
        from being asked. The narrowest pattern counts. Issuer and unit are both named: with two certificates of one
        issuer the wrong one was picked.
        """
        if not self.tenants:
            return []
        environment = self.register.environment
        hosts = [(tenant.origin, tenant) for tenant in self.tenants]
        hosts.append((environment.origin(f"[*.]{environment.domain}"), self.tenants[0]))
        return [
            json.dumps(
                {
                    "pattern": origin,
                    "filter": {
                        "ISSUER": {"CN": self.issuer},
                        "SUBJECT": {"CN": self.clerk.username, "OU": tenant.tenant},
                    },
                }
            )
            for origin, tenant in hosts
        ]

    def _firefox(self) -> dict[str, Any]:
        origins = self._origins()
        # Firefox cannot choose by host: with one certificate it may pick by itself, with several it must ask.
        choice = "Select Automatically" if len(self.tenants) == 1 else "Ask Every Time"
        policies: dict[str, Any] = {
            "Certificates": {"ImportEnterpriseRoots": True, "Install": [self.root_file]},
            "Cookies": {"Allow": origins},
            "PopupBlocking": {"Allow": origins},
            "DisableFirefoxAccounts": True,
            "DisableFirefoxStudies": True,
            "DisableTelemetry": True,
            "DontCheckDefaultBrowser": True,
            "OfferToSaveLogins": False,
            "OverrideFirstRunPage": "",
            "OverridePostUpdatePage": "",
            "Preferences": {"security.default_personal_cert": {"Value": choice, "Status": "locked"}},
        }
        if self.tenants:
            policies["Homepage"] = {"URL": self.tenants[0].url(), "Locked": True, "StartPage": "homepage"}
        return policies


def seat(register: Register, name: str) -> Seat:
    """The seat of a workstation by its name in the register; RegisterError naming the known ones otherwise."""
    stations = register.workstations()
    for office, station in stations:
        if station.name == name:
            return Seat(register, office, station)
    names = ", ".join(sorted(station.name for _, station in stations)) or "none"
    place = f"environment {register.environment.id}"
    raise RegisterError([Fault(place, "workstation", name, "no such workstation here", f"Known: {names}")])


def differences(text: str | None, browser: str, expected: dict[str, Any]) -> list[str]:
    """Names of expected policies that a policy file (its text; None: no file) does not hold, or holds otherwise.

    Foreign policies beside ours, and foreign items after ours in a list, are no difference.
    """
    try:
        present = json.loads(text) if text is not None else {}
    except ValueError:
        present = {}
    present = present if isinstance(present, dict) else {}
    if browser == "firefox":
        present = present.get("policies", {})
    return sorted(name for name, value in expected.items() if not _holds(present.get(name), value))


def _holds(present: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(present, dict) and all(_holds(present.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(present, list) and present[: len(expected)] == expected
    return type(present) is type(expected) and present == expected
