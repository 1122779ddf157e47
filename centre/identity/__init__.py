"""Clerks and citizens at the identity provider: read, compared with the register, changed step by step."""
