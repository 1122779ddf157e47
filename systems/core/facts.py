"""What is known of the municipality being served: written by role tenant_database from the register (ADR 0020)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from django.db import connection

from systems import tenancy

LIFETIME = 300  # seconds that facts are believed without asking again


@dataclass(frozen=True)
class Facts:
    """Name, county, inhabitants and host of a municipality; empty and 0 where nothing was said."""

    name: str = ""
    county: str = ""
    population: int = 0
    host: str = ""


_known: dict[str, tuple[float, Facts]] = {}


def of_tenant() -> Facts:
    """Facts of the current tenant."""
    ksh = tenancy.current().ksh
    at, facts = _known.get(ksh, (0.0, Facts()))
    if not at or time.monotonic() - at > LIFETIME:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
            )
            (text,) = cursor.fetchone()
        facts = Facts(**json.loads(text)) if text else Facts()
        _known[ksh] = (time.monotonic(), facts)
    return facts
