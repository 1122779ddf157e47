"""Settings that both of Keycloak's realms have in common (durations in seconds)."""

from __future__ import annotations

from typing import Any

from inventory.register import Register


def common(register: Register) -> dict[str, Any]:
    """Nobody registers, resets or stays signed in by themselves; guessing is slowed down; who did what is kept."""
    return {
        "ssoSessionIdleTimeout": register.environment.identity.session_idle_minutes * 60,
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
