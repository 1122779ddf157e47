"""Announced work on the hosting, for the pages that tell of it (`core/maintenance.html`)."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from systems.shared.operations import Maintenance


def coming() -> list[Maintenance]:
    """What goes on now or is still to come."""
    now = timezone.now()
    return [entry for entry in settings.ASP.maintenance if entry.until > now]
