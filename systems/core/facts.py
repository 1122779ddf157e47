"""Facts about the municipality being served, which role tenant_database writes from the register (ADR 0020)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from systems import tenancy

LIFETIME = 300  # seconds for which facts are cached


@dataclass(frozen=True)
class Facts:
    """What the register says about a municipality; empty or 0 where it says nothing.

    `office`: KSH code of its office's seat, the same for all members of a joint one; `origin`: address of its host.
    """

    name: str = ""
    county: str = ""
    population: int = 0
    host: str = ""
    origin: str = ""
    office: str = ""


_cache: dict[str, tuple[float, Facts]] = {}


def tenants() -> Iterator[tuple[str, dict[str, Any]]]:
    """KSH code and facts of every tenant of the cell; any database of the cell can list them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(datname, 2), shobj_description(oid, 'pg_database') FROM pg_database "
            "WHERE datname ~ '^t[0-9]{5}$' AND datallowconn ORDER BY datname"
        )
        for ksh, facts in cursor.fetchall():
            yield ksh, json.loads(facts) if facts else {}


def of_office(office: str) -> list[tuple[str, Facts]]:
    """KSH codes and facts of the cell's municipalities that one office serves, sorted by name."""
    members = [(ksh, Facts(**facts)) for ksh, facts in tenants() if facts.get("office") == office]
    return sorted(members, key=lambda entry: entry[1].name)


def others_of_office(ksh: str) -> list[Facts]:
    """Facts of the other municipalities that this one's office serves, sorted by name."""
    office = of_tenant().office
    return [facts for code, facts in of_office(office) if code != ksh] if office else []


def in_sandbox() -> bool:
    """Whether the current tenant is for training, so that all of its data is invented."""
    return tenancy.current().ksh in settings.ASP.training


def of_tenant() -> Facts:
    """Facts of the current tenant."""
    ksh = tenancy.current().ksh
    at, facts = _cache.get(ksh, (0.0, Facts()))
    if not at or time.monotonic() - at > LIFETIME:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
            )
            (text,) = cursor.fetchone()
        facts = Facts(**json.loads(text)) if text else Facts()
        _cache[ksh] = (time.monotonic(), facts)
    return facts
