"""Realms of the identity provider that the hosting creates and the systems use."""

REALM_OF_CITIZENS = "ugyfel"  # beside the clerks' realm at the same identity provider; a stack creates it


def client_id(tenant: str, system: str) -> str:
    """The OIDC client of one system of one municipality, in both realms: `t16054-irat`."""
    return f"{tenant}-{system}"
