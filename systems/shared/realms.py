"""Realms of the identity provider that the hosting creates and the systems use."""

REALM_OF_CITIZENS = "ugyfel"  # beside the clerks' realm at the same identity provider; a stack creates it
