"""What is told to the warehouse: how many forms came of which kind and where they stand, never from whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count

from systems.elugy.models import Status, Submission


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures of a day, and of all there is at its end."""
    sent = Submission.objects.filter(submitted_at__date__lte=day)
    that_day = sent.filter(submitted_at__date=day).values_list("form").annotate(n=Count("id")).order_by("form")
    standing = sent.values_list("status").annotate(n=Count("id")).order_by("status")
    return [
        *(_count("beküldött űrlap", form, n) for form, n in that_day),
        *(_count("ügy", Status(status).label, n) for status, n in standing),
    ]


def _count(measure: str, dimension: str, value: int) -> dict[str, Any]:
    return {"measure": measure, "dimension": dimension, "kind": "count", "value": value}
