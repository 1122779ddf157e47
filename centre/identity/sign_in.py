"""Closing and opening one person's sign-in at Keycloak, beside what the register says of clerks."""

from __future__ import annotations

from typing import Any

from centre.reach.keycloak import Keycloak


def close(api: Keycloak, username: str, *, disable: bool) -> list[str]:
    """End the person's sessions, and disable the account if wanted; what changed, in words."""
    user = _find(api, username)
    if user is None:
        return []
    changes = []
    if disable and user["enabled"]:
        api.replace("users", user["id"], body={**user, "enabled": False})
        changes.append(f"user {username} disabled")
    if sessions := api.get("users", user["id"], "sessions"):
        api.create("users", user["id"], "logout", body={})
        changes.append(f"{len(sessions)} sessions of {username} ended")
    return changes


def reopen(api: Keycloak, username: str) -> list[str]:
    """Enable the account again; what changed, in words."""
    user = _find(api, username)
    if user is None or user["enabled"]:
        return []
    api.replace("users", user["id"], body={**user, "enabled": True})
    return [f"user {username} enabled"]


def _find(api: Keycloak, username: str) -> dict[str, Any] | None:
    return next(iter(api.get("users", username=username, exact=True)), None)
