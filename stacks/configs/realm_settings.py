"""Settings that both of Keycloak's realms have in common (durations in seconds)."""

from __future__ import annotations

from typing import Any

from inventory.register import Register

SHORTEST_PASSWORD = 12  # characters
WEAK_PASSWORDS = "weak.txt"  # the list of stacks/configs/weak_passwords.py, as the policy names it
# Clients that Keycloak gives every realm for itself and that nobody here uses: administration is done in realm master,
# and nobody manages an account of their own. `broker` and `realm-management` only hold roles.
IDLE_CLIENTS = ("account", "account-console", "admin-cli", "security-admin-console")


def common(register: Register) -> dict[str, Any]:
    """Nobody registers, resets or stays signed in by themselves; who did what is kept."""
    return {
        "ssoSessionIdleTimeout": register.environment.identity.session_idle_minutes * 60,
        "accessTokenLifespan": 300,
        "accessCodeLifespanLogin": 600,
        "registrationAllowed": False,
        "resetPasswordAllowed": False,
        "rememberMe": False,
        "loginWithEmailAllowed": False,
        "editUsernameAllowed": False,
        "internationalizationEnabled": True,
        "supportedLocales": ["hu"],
        "defaultLocale": "hu",
        "passwordPolicy": f"length({SHORTEST_PASSWORD}) and notUsername and notContainsUsername and passwordHistory(5)"
        f" and passwordBlacklist({WEAK_PASSWORDS})",
        "eventsEnabled": True,
        "eventsExpiration": 90 * 86400,
        # Kept in the database only: the log of the service would repeat every user name that somebody typed.
        "eventsListeners": [],
        "adminEventsEnabled": True,
    }
