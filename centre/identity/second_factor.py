"""A clerk's second factor forgotten: whoever has the certificate sets up a new one at the next sign-in."""

from __future__ import annotations

from centre.faults import UsageFault
from centre.reach.keycloak import Keycloak

KINDS = ("password", "otp")  # of Keycloak's credentials


def reset(api: Keycloak, username: str) -> list[str]:
    """Remove the clerk's second factors and end their sessions; the kinds that were removed."""
    user = next(iter(api.get("users", username=username, exact=True)), None)
    if user is None:
        raise UsageFault(
            f"clerk {username}: seen no such user at the identity provider, wanted one of a municipality that has "
            "joined: asp join <KSH>"
        )
    credentials = [item for item in api.get("users", user["id"], "credentials") if item["type"] in KINDS]
    for credential in credentials:
        api.remove("users", user["id"], "credentials", credential["id"])
    api.create("users", user["id"], "logout", body={})
    return [credential["type"] for credential in credentials]
