"""Secrets of an environment: the vault, certificates made from it, signed tokens."""
