"""The portal's figures for the warehouse: how much the municipality has published."""

from __future__ import annotations

import datetime as dt
from typing import Any

from systems.portal.models import Change, Decree, News, Publication


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    decrees = Decree.objects.filter(published=True)
    return [
        _count("hír", News.objects.visible(day).count()),
        _count("hatályos rendelet", decrees.in_force(day).count()),
        _count("közérdekű adat", Publication.objects.filter(published=True).count()),
        _count("módosítás", Change.objects.filter(at__date=day).count()),
    ]


def _count(measure: str, value: int) -> dict[str, Any]:
    return {"measure": measure, "dimension": "", "kind": "count", "value": value}
