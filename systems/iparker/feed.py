"""The trade system's figures for the warehouse: notifications by state, active entries by kind, inspections."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Q

from systems.iparker.models import Entry, Inspection, Kind, Notification


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    states, kinds = dict(Notification.State.choices), dict(Kind.choices)
    figures = []
    for state, n in Notification.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        figures.append(("bejelentés", states[state], n))
    active = Entry.objects.filter(Q(until=None) | Q(until__gt=day), since__lte=day)
    for kind, n in active.order_by("kind").values_list("kind").annotate(n=Count("id")):
        figures.append(("nyilvántartott tevékenység", kinds[kind], n))
    figures.append(("megszűnt tevékenység az évben", "", Entry.objects.filter(until__year=day.year).count()))
    figures.append(("ellenőrzés az évben", "", Inspection.objects.filter(day__year=day.year, day__lte=day).count()))
    overdue = Inspection.objects.filter(settled_on=None, deadline__lt=day).count()
    figures.append(("lejárt ellenőrzési határidő", "", overdue))
    return [{"measure": m, "dimension": d, "kind": "count", "value": v} for m, d, v in figures]
