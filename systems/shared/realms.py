"""Realms of the identity provider that the hosting makes and the systems ask."""

REALM_OF_CITIZENS = "ugyfel"  # beside the clerks' realm at the same identity provider; stacks make it
