"""The framework's figures for the warehouse: how much was done in which system, never by whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count

from systems.keret.models import Activity, Presence, User


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    actions = Activity.objects.filter(at__date=day).values_list("system").annotate(n=Count("id")).order_by("system")
    inside = Presence.objects.filter(began_at__date=day).values("username").distinct().count()
    return [
        _count("felhasználó", "aktív", User.objects.filter(locked_at=None).count()),
        _count("felhasználó", "zárolt", User.objects.exclude(locked_at=None).count()),
        _count("belépett felhasználó", "", inside),
        *(_count("művelet", system, n) for system, n in actions),
    ]


def _count(measure: str, dimension: str, value: int) -> dict[str, Any]:
    return {"measure": measure, "dimension": dimension, "kind": "count", "value": value}
