"""Announced maintenance of the hosting, for the pages that show it (`core/maintenance.html`)."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from systems.shared.operations import Maintenance


def upcoming() -> list[Maintenance]:
    """Maintenance that is under way or still to come."""
    now = timezone.now()
    return [entry for entry in settings.ASP.maintenance if entry.until > now]
