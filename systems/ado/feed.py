"""The tax system's figures for the warehouse: assessed and paid amounts by tax, returns by state."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Sum

from systems.ado.models import Assessment, Payment, Return, StatementLine, Taxpayer


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day, of the calendar year so far."""
    states = dict(Return.State.choices)
    figures = [("adózó", "", "count", Taxpayer.objects.count())]
    for state, n in Return.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        figures.append(("bevallás", states[state], "count", n))
    assessments = (
        Assessment.objects.filter(year=day.year - 1, replaced_by=None).order_by("tax__name").values_list("tax__name")
    )
    figures += [("kivetett adó", name, "forint", amount) for name, amount in assessments.annotate(n=Sum("amount"))]
    payments = Payment.objects.filter(day__year=day.year, day__lte=day).aggregate(n=Sum("amount"))["n"] or 0
    figures.append(("befizetett adó", "", "forint", payments))
    unclear = StatementLine.unclear().aggregate(n=Count("id"), amount=Sum("amount"))
    figures.append(("tisztázatlan befizetés", "", "count", unclear["n"]))
    figures.append(("tisztázatlan befizetések összege", "", "forint", unclear["amount"] or 0))
    return [{"measure": m, "dimension": d, "kind": k, "value": v} for m, d, k, v in figures]
