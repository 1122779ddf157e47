"""Keycloak's realm `asp` as plain data: what is imported at its first start, before any tenant exists.

One realm for the country, an organization per municipality. Later changes of what stands here reach
a running realm through roles/tenant_identity, since Keycloak imports a realm only once.
"""

from __future__ import annotations

import json
from typing import Any

from inventory.register import Register
from stacks.configs import sign_in_flow
from stacks.configs.realm_settings import common

REALM = "asp"
OPERATOR = "asp-operator"  # service account in realm master that tenant roles act as


def settings(register: Register) -> dict[str, Any]:
    """Settings that may change over the realm's life (durations in seconds)."""
    return {
        "displayName": "Önkormányzati ASP",
        "loginTheme": "asp-clerks",
        **common(register),
        # Only the holder of a clerk's certificate reaches that clerk's password, so only they can cause the wait.
        "bruteForceProtected": True,
        "permanentLockout": False,
        "quickLoginCheckMilliSeconds": 0,  # off: two posts within a second locked somebody for a minute
        "maxDeltaTimeSeconds": 3600,  # wrong passwords are forgotten after an hour without one
        "failureFactor": 5,
        "waitIncrementSeconds": 60,
        "maxFailureWaitSeconds": 900,
        "ssoSessionMaxLifespan": sign_in_flow.SESSION_SECONDS,
        "organizationsEnabled": True,
    }


def render(register: Register) -> str:
    """The import file. Sign-in: a session that exists, else certificate and the register's second factor."""
    flow = sign_in_flow.browser(register.environment.identity.second_factor)
    refusal = sign_in_flow.no_direct_grant()
    realm = {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "all",
        **settings(register),
        "browserFlow": flow.name,
        "directGrantFlow": refusal.name,
        **sign_in_flow.import_file(flow, refusal),
    }
    return json.dumps(realm, ensure_ascii=False, indent=1)
