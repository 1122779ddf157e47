"""Facts about the municipality being served, which role tenant_database writes from the register (ADR 0020).

They are the comment of schema `chain` in the municipality's own database, which no other database shows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from systems import tenancy

LIFETIME = 300  # seconds for which facts are cached


@dataclass(frozen=True)
class Facts:
    """What the register says about a municipality; empty or 0 where it says nothing.

    `office`: KSH code of its office's seat, the same for all members of a joint one; `origin`: address of its host;
    `others`: KSH code, name and origin of the other members in its cell.
    """

    name: str = ""
    county: str = ""
    population: int = 0
    host: str = ""
    origin: str = ""
    office: str = ""
    others: Sequence[Mapping[str, str]] = ()


_cache: dict[str, tuple[float, Facts]] = {}


@dataclass(frozen=True)
class Other:
    """Another municipality of the same joint office."""

    name: str
    origin: str


def tenants() -> list[str]:
    """KSH codes of every tenant of the cell; any database of the cell can list them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(datname, 2) FROM pg_database WHERE datname ~ '^t[0-9]{5}$' AND datallowconn ORDER BY datname"
        )
        return [ksh for (ksh,) in cursor.fetchall()]


def others_of_office() -> list[Other]:
    """The other municipalities that this one's office serves and that have joined, sorted by name."""
    others = of_tenant().others
    present = set(tenants()) if others else set()
    names = [Other(other["name"], other["origin"]) for other in others if other["ksh"] in present]
    return sorted(names, key=lambda other: other.name)


def in_sandbox() -> bool:
    """Whether the current tenant is for training, so that all of its data is invented."""
    return tenancy.current().ksh in settings.ASP.training


def of_tenant() -> Facts:
    """Facts of the current tenant."""
    ksh = tenancy.current().ksh
    at, facts = _cache.get(ksh, (0.0, Facts()))
    if not at or time.monotonic() - at > LIFETIME:
        with connection.cursor() as cursor:
            cursor.execute("SELECT obj_description('chain'::regnamespace, 'pg_namespace')")
            (text,) = cursor.fetchone()
        facts = Facts(**json.loads(text)) if text else Facts()
        _cache[ksh] = (time.monotonic(), facts)
    return facts
