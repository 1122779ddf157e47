"""The finance system's figures for the warehouse: budget, commitments, invoices by state, cash by item."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, F, Sum

from systems.gazd import reports
from systems.gazd.models import Appropriation, Invoice, Voucher


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures of the day's year."""
    figures = []
    for plan in Appropriation.objects.filter(year=day.year).select_related("item"):
        figures.append(("módosított előirányzat", str(plan.item), "forint", plan.modified))
        if plan.committed:
            figures.append(("lekötött előirányzat", str(plan.item), "forint", plan.committed))
    figures += [("teljesítés", str(row.item), "forint", row.actual) for row in reports.cash_report(day.year)]
    states = dict(Invoice.State.choices)
    for state, n in Invoice.objects.order_by("state").values_list("state").annotate(n=Count("id")):
        figures.append(("bejövő számla", states[state], "count", n))
    owed = Invoice.objects.filter(state=Invoice.State.APPROVED).aggregate(n=Sum(F("gross") - F("paid"), default=0))["n"]
    figures.append(("szállítói tartozás", "", "forint", int(owed)))
    figures.append(("bizonylat", "", "count", Voucher.objects.filter(year=day.year).count()))
    return [{"measure": m, "dimension": d, "kind": k, "value": v} for m, d, k, v in figures]
