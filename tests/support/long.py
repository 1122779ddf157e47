"""Families of tests of which `make test` runs the first, or the telling ones, and `make test-long` all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def of_family(members: Iterable[Any], always: Iterable[Any]) -> list[Any]:
    """Parameters: those `always` run as they are, the others marked `long`."""
    members, required = list(members), list(always)
    assert all(member in members for member in required), f"{required}: wanted some of {members}"
    return [member if member in required else pytest.param(member, marks=pytest.mark.long) for member in members]
