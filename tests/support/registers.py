"""A register that differs from what its files say: a reading is shared by everybody and never changed itself."""

from __future__ import annotations

from collections.abc import Mapping

from inventory.models import Municipality, System
from inventory.register import Register


def altered(
    register: Register,
    systems: Mapping[str, System] | None = None,
    municipalities: Mapping[str, Municipality] | None = None,
) -> Register:
    """The register with other systems or municipalities beside its own, by id and KSH code."""
    return Register(
        register.environment,
        {**register.systems, **(systems or {})},
        dict(register.sla),
        {**register.municipalities, **(municipalities or {})},
        dict(register.offices),
        register.statistics,
        register.retention,
        dict(register.limits),
    )
