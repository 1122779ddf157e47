"""The helpdesk's figures for the warehouse: reports by state and reach."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count

from systems.helpdesk.models import Ticket


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    states, reaches = dict(Ticket.State.choices), dict(Ticket.Reach.choices)
    by_state = Ticket.objects.values_list("state").annotate(n=Count("id")).order_by("state")
    that_day = (
        Ticket.objects.filter(reported_at__date=day).values_list("reach").annotate(n=Count("id")).order_by("reach")
    )
    figures = [("bejelentés", states[state], n) for state, n in by_state]
    figures += [("új bejelentés", reaches[reach], n) for reach, n in that_day]
    return [{"measure": m, "dimension": d, "kind": "count", "value": n} for m, d, n in figures]
