"""What the tax system tells the warehouse: assessed and paid by tax, returns by state."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Sum

from systems.ado.models import Assessment, Payment, Return, StatementLine, Taxpayer


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day, of the calendar year so far."""
    states = dict(Return.State.choices)
    found = [("adózó", "", "count", Taxpayer.objects.count())]
    for state, n in Return.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        found.append(("bevallás", states[state], "count", n))
    assessed = (
        Assessment.objects.filter(year=day.year - 1, replaced_by=None).order_by("tax__name").values_list("tax__name")
    )
    found += [("kivetett adó", name, "forint", amount) for name, amount in assessed.annotate(n=Sum("amount"))]
    paid = Payment.objects.filter(day__year=day.year, day__lte=day).aggregate(n=Sum("amount"))["n"] or 0
    found.append(("befizetett adó", "", "forint", paid))
    unclear = StatementLine.unclear().aggregate(n=Count("id"), amount=Sum("amount"))
    found.append(("tisztázatlan befizetés", "", "count", unclear["n"]))
    found.append(("tisztázatlan befizetések összege", "", "forint", unclear["amount"] or 0))
    return [{"measure": m, "dimension": d, "kind": k, "value": v} for m, d, k, v in found]
