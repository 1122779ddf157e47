"""Modules that are loaded when they are first used, because loading them costs more than most runs need.

A run without changes takes a third of a second; the Docker client alone costs 0.1 s, and such a run never asks a
daemon anything.
"""

from __future__ import annotations

import importlib
from typing import Any


class Late:
    """Stands for a module at the top of the one that uses it; the first look at an attribute loads it."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
