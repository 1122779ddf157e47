"""Keycloak's realm of citizens as plain data: it stands in for the state's own sign-in (KAÜ), which we do not run.

A realm apart from the clerks', so that no token of a citizen is ever one of a clerk's. Its people are synthetic.
Clients and citizens come through roles/tenant_identity (`centre.identity.citizens`).
"""

from __future__ import annotations

import json
from typing import Any

from inventory.register import Register
from stacks.configs import sign_in_flow
from stacks.configs.realm_settings import common
from systems.shared.realms import REALM_OF_CITIZENS

REALM = REALM_OF_CITIZENS
IDENTIFIER = "identifier"  # attribute and claim: the tax identification sign
LONGEST = 2 * 3600  # seconds of a session, however busy


def settings(register: Register) -> dict[str, Any]:
    """Settings that may change over the realm's life (durations in seconds)."""
    return {
        "displayName": "Ügyfélbelépés (bemutató, a KAÜ helyett)",
        "loginTheme": "asp",
        **common(register),
        # Anybody reaches this password form, so a wait by account would be a lock that anybody can put on a citizen:
        # with waits of 2 s, 50 wrong posts a second kept one out in 9 of 10 tries. The edge slows down sources instead.
        "bruteForceProtected": False,
        "ssoSessionMaxLifespan": LONGEST,
    }


def render(register: Register) -> str:
    """The import file. Sign-in is Keycloak's own: cookie, else password, with a one-time code if one is set up."""
    refusal = sign_in_flow.no_direct_grant()
    realm = {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "all",
        **settings(register),
        "directGrantFlow": refusal.name,
        **sign_in_flow.import_file(refusal),
        "components": {
            "org.keycloak.userprofile.UserProfileProvider": [
                {
                    "providerId": "declarative-user-profile",
                    "config": {"kc.user.profile.config": [json.dumps(profile())]},
                }
            ]
        },
    }
    return json.dumps(realm, ensure_ascii=False, indent=1)


def profile() -> dict:
    """What is kept of a citizen; they see it, only the administration changes it."""
    names = ["username", "email", "firstName", "lastName", IDENTIFIER]
    permissions = {"view": ["admin", "user"], "edit": ["admin"]}
    return {"attributes": [{"name": name, "permissions": permissions, "multivalued": False} for name in names]}
