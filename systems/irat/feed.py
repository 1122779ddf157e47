"""The records system's figures for the warehouse: documents of the day by direction, cases by state."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count

from systems.irat.models import Case, Direction, Document, Submission


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    labels = dict(Direction.choices)
    that_day = Document.objects.filter(registered_at__date=day).order_by("direction").values_list("direction")
    figures = [("iktatott irat", labels[direction], n) for direction, n in that_day.annotate(n=Count("id"))]
    figures.append(("ügyirat", "összes", Case.objects.count()))
    states = dict(Submission.State.choices)
    for state, n in Submission.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        figures.append(("elektronikus beadvány", states[state], n))
    labels = dict(Case.State.choices)
    for state, n in Case.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        figures.append(("ügyirat állapota", labels[state], n))
    late = Case.objects.filter(state=Case.State.ASSIGNED, deadline__lt=day).count()
    figures.append(("lejárt határidejű ügyirat", "összes", late))
    return [{"measure": m, "dimension": d, "kind": "count", "value": n} for m, d, n in figures]
