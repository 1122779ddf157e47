"""The refusal that business rules of all systems raise."""

from __future__ import annotations


class NotPossible(Exception):
    """A system's rules do not allow the operation, or not any more, or not yet; the Hungarian message says why.

    Whoever raises it has changed nothing, or does so in a transaction that ends with it.
    """
