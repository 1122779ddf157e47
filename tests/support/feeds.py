"""The nightly feed at any hour: what each system's own server would send at 01:30, sent now by the same code."""

from __future__ import annotations

from collections.abc import Iterable

from centre.reach.runtime import Runtime
from inventory.register import Register
from systems.shared import parts

PROGRAM = """
import systems.wsgi
from django.db import transaction
from django.utils import timezone
from systems import tenancy
from systems.exchange import feeding
for ksh in {ksh!r}:
    with tenancy.serving(tenancy.Tenant(ksh, None)), transaction.atomic():
        feeding.deliver({system!r}, timezone.localdate())
"""


def deliver(runtime: Runtime, register: Register, systems: Iterable[str] | None = None) -> None:
    """Every joined municipality's feeds of yesterday, of these systems or of all that deliver."""
    for system in systems or filter(parts.delivers, register.installed_systems):
        having: dict[str, list[str]] = {}
        for municipality in register.joined():
            if system in municipality.systems:
                having.setdefault(municipality.cell, []).append(municipality.ksh)
        for cell, codes in having.items():
            app = register.cell(cell).app(system)
            runtime.check(app, ["python", "-"], stdin=PROGRAM.format(ksh=codes, system=system), timeout=60)
