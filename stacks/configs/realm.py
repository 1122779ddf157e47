"""Keycloak's realm `asp` as plain data: what is imported at its first start, before any tenant exists.

One realm for the country, an organization per municipality. Later changes of what stands here reach
a running realm through roles/tenant_identity, since Keycloak imports a realm only once.
"""

from __future__ import annotations

import json
from typing import Any

from inventory.register import Register
from stacks.configs.realm_settings import common

REALM = "asp"
OPERATOR = "asp-operator"  # service account in realm master that tenant roles act as
_BROWSER, _FORMS, _CODE = "asp browser", "asp forms", "asp one-time code"


def settings(register: Register) -> dict[str, Any]:
    """Settings that may change over the realm's life (durations in seconds)."""
    return {
        "displayName": "Önkormányzati ASP",
        **common(register),
        "ssoSessionMaxLifespan": 12 * 3600,  # a working day: nobody stays signed in overnight
        "organizationsEnabled": True,
    }


def render(register: Register) -> str:
    """The import file. Sign-in: cookie, else certificate, else password, with a one-time code if one is set up."""
    realm = {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "all",
        **settings(register),
        "browserFlow": _BROWSER,
        "authenticationFlows": [
            _flow(
                _BROWSER,
                True,
                [
                    _step("auth-cookie", "ALTERNATIVE", 10),
                    {
                        **_step("auth-x509-client-username-form", "ALTERNATIVE", 20),
                        "authenticatorConfig": "certificate",
                    },
                    _subflow(_FORMS, "ALTERNATIVE", 30),
                ],
            ),
            _flow(
                _FORMS,
                False,
                [_step("auth-username-password-form", "REQUIRED", 10), _subflow(_CODE, "CONDITIONAL", 20)],
            ),
            _flow(
                _CODE,
                False,
                [_step("conditional-user-configured", "REQUIRED", 10), _step("auth-otp-form", "REQUIRED", 20)],
            ),
        ],
        "authenticatorConfig": [
            {
                "alias": "certificate",
                "config": {
                    "x509-cert-auth.mapping-source-selection": "Subject's Common Name",
                    "x509-cert-auth.mapper-selection": "Username or Email",
                    "x509-cert-auth.extendedkeyusage": "1.3.6.1.5.5.7.3.2",  # clientAuth
                    "x509-cert-auth.timestamp-validation-enabled": "true",
                    "x509-cert-auth.revalidate-certificate-enabled": "true",  # against the environment's root
                    "x509-cert-auth.confirmation-page-disallowed": "true",
                    # Revocation is decided at the edge, which passes on no certificate that is revoked or unchecked.
                    "x509-cert-auth.crl-checking-enabled": "false",
                    "x509-cert-auth.ocsp-checking-enabled": "false",
                },
            }
        ],
    }
    return json.dumps(realm, ensure_ascii=False, indent=1)


def _flow(alias: str, top: bool, executions: list[dict]) -> dict:
    return {
        "alias": alias,
        "providerId": "basic-flow",
        "topLevel": top,
        "builtIn": False,
        "authenticationExecutions": executions,
    }


def _step(authenticator: str, requirement: str, priority: int) -> dict:
    return {
        "authenticator": authenticator,
        "authenticatorFlow": False,
        "requirement": requirement,
        "priority": priority,
        "userSetupAllowed": False,
    }


def _subflow(alias: str, requirement: str, priority: int) -> dict:
    return {
        "flowAlias": alias,
        "authenticatorFlow": True,
        "requirement": requirement,
        "priority": priority,
        "userSetupAllowed": False,
    }
