"""The estate system's figures for the warehouse: counts only, nothing about what anybody left or inherits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count

from systems.hagyatek.models import Estate, Handover


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    states, figures = dict(Estate.State.choices), []
    for state, n in Estate.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        figures.append(("hagyatéki leltár", states[state], n))
    overdue = Estate.objects.filter(state=Estate.State.OPEN, due__lt=day).count()
    figures.append(("lejárt határidejű leltár", "", overdue))
    figures.append(("átadott leltár az évben", "", Handover.objects.filter(day__year=day.year, day__lte=day).count()))
    return [{"measure": m, "dimension": d, "kind": "count", "value": v} for m, d, v in figures]
