"""Keycloak's realm of citizens as plain data: it stands in for the state's own sign-in (KAÜ), which we do not run.

A realm apart from the clerks', so that no token of a citizen is ever one of a clerk's. Its people are synthetic.
Clients and citizens come through roles/tenant_identity (`centre.identity.citizens`).
"""

from __future__ import annotations

import json

from inventory.register import Register
from systems.shared.realms import REALM_OF_CITIZENS

REALM = REALM_OF_CITIZENS
IDENTIFIER = "identifier"  # attribute and claim: the tax identification sign
LONGEST = 2 * 3600  # seconds of a session, however busy


def settings(register: Register) -> dict:
    """Settings that may change over the realm's life (durations in seconds)."""
    return {
        "displayName": "Ügyfélbelépés (bemutató, a KAÜ helyett)",
        "ssoSessionIdleTimeout": register.environment.identity.session_idle_minutes * 60,
        "ssoSessionMaxLifespan": LONGEST,
        "accessTokenLifespan": 300,
        "accessCodeLifespanLogin": 600,
        "registrationAllowed": False,
        "resetPasswordAllowed": False,
        "rememberMe": False,
        "loginWithEmailAllowed": False,
        "editUsernameAllowed": False,
        "bruteForceProtected": True,
        "failureFactor": 5,
        "internationalizationEnabled": True,
        "supportedLocales": ["hu"],
        "defaultLocale": "hu",
        "passwordPolicy": "length(14) and notUsername and passwordHistory(5)",
        "eventsEnabled": True,
        "eventsExpiration": 90 * 86400,
        "adminEventsEnabled": True,
    }


def render(register: Register) -> str:
    """The import file. Sign-in is Keycloak's own: cookie, else password, with a one-time code if one is set up."""
    realm = {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "all",
        **settings(register),
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
