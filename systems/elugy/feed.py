"""The figures of electronic forms for the warehouse: numbers by form and status, never from whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count

from systems.elugy.models import Status, Submission


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures of a day, and of all cases at its end."""
    submissions = Submission.objects.filter(submitted_at__date__lte=day)
    that_day = submissions.filter(submitted_at__date=day).values_list("form").annotate(n=Count("id")).order_by("form")
    by_status = submissions.values_list("status").annotate(n=Count("id")).order_by("status")
    return [
        *(_count("beküldött űrlap", form, n) for form, n in that_day),
        *(_count("ügy", Status(status).label, n) for status, n in by_status),
    ]


def _count(measure: str, dimension: str, value: int) -> dict[str, Any]:
    return {"measure": measure, "dimension": dimension, "kind": "count", "value": value}
