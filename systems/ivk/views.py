"""Search for parcels, a parcel's sheet on any day, changes recorded late, the statutory summary."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from systems.core.pdf import Pdf
from systems.core.sheets import sheet
from systems.ivk import lot, registering, summaries
from systems.ivk.models import Change, Parameter, Parcel

PAGE = 25


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Parcels by lot number, address or use."""
    query, area = request.GET.get("q", "").strip()[:100], request.GET.get("fekves", "")
    ended = request.GET.get("megszunt") == "1"
    number = lot.tidy(query)
    parcels = Parcel.objects.filter(
        Q(lot=number) | Q(lot__startswith=f"{number}/") | Q(address__icontains=query) | Q(use__icontains=query)
    )
    if area in Parcel.Area.values:
        parcels = parcels.filter(area=area)
    if not ended:
        parcels = parcels.filter(ended=None)
    page = Paginator(parcels, PAGE).get_page(request.GET.get("oldal"))
    context = {"page": page, "query": query, "area": area, "areas": Parcel.Area.choices, "ended": ended}
    return render(request, "ivk/index.html", context)


def _day(request: HttpRequest) -> dt.date:
    """The day in the address, else today."""
    try:
        return parse_date(request.GET.get("nap", "")) or timezone.localdate()
    except ValueError:
        return timezone.localdate()


def labels_and_values(data: dict[str, Any]) -> list[tuple[str, Any]]:
    """A parcel's data as people read it."""
    choices = {"area": dict(Parcel.Area.choices), "transferability": dict(Parcel.Transferability.choices)}
    rows = []
    for name in registering.DATA:
        if name == "share_whole":
            continue
        label, value = Parcel._meta.get_field(name).verbose_name, choices.get(name, {}).get(data[name], data[name])
        if name == "share_part":
            label, value = "tulajdoni hányad", f"{data['share_part']}/{data['share_whole']}"
        rows.append((label.capitalize() if name != "lot" else "Helyrajzi szám", value))
        if name == "depreciation":
            rows.append(("Nettó érték", data["gross"] - data["depreciation"]))
    return rows


@require_GET
def parcel(request: HttpRequest, pk: int) -> HttpResponse:
    """A parcel as of a day, with its history and ancestry."""
    parcel, day = get_object_or_404(Parcel, pk=pk), _day(request)
    data = parcel.as_of(day)
    context = {
        "parcel": parcel,
        "day": day,
        "rows": labels_and_values(data) if data else [],
        "history": parcel.changes.all(),
        "ancestors": registering.ancestors(parcel),
        "children": Parcel.objects.filter(parent_links__parent=parcel),
    }
    return render(request, "ivk/parcel.html", context)


@require_GET
def printable(request: HttpRequest, pk: int) -> HttpResponse:
    """The parcel's sheet (ingatlanlap) as PDF."""
    parcel, day = get_object_or_404(Parcel, pk=pk), _day(request)
    pdf = Pdf("Ingatlanlap", f"{parcel}, {day:%Y. %m. %d.} napján")
    data = parcel.as_of(day)
    if data:
        pdf.pairs(labels_and_values(data))
    else:
        pdf.paragraph("Ezen a napon nem szerepelt a nyilvántartásban.")
    history = [(c.day, c.get_kind_display(), c.reason, c.recorded_by) for c in parcel.changes.all()]
    pdf.section("Változások").table(["Nap", "Fajta", "Ok", "Rögzítette"], history, (2, 2, 4, 3))
    if origin := registering.ancestors(parcel):
        pdf.section("Jogelődök").paragraph(", ".join(str(parent) for parent in origin))
    return pdf.response(f"ingatlanlap-{parcel.lot.replace('/', '-')}")


@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Changes of the last days, newest first; those recorded after the time limit are marked."""
    limit = Parameter.objects.get(pk="change_days")
    since = timezone.localdate() - dt.timedelta(days=limit.value)
    changes = Change.objects.filter(Q(day__gte=since) | Q(recorded_at__date__gte=since)).select_related("parcel")
    page = Paginator(changes.order_by("-day", "-id"), PAGE).get_page(request.GET.get("oldal"))
    for change in page:
        change.took = (timezone.localtime(change.recorded_at).date() - change.day).days
    return render(request, "ivk/changes.html", {"page": page, "limit": limit, "since": since})


@require_GET
def summary(request: HttpRequest) -> HttpResponse:
    """Counts, areas and values by class, like the yearly statistical report 1616."""
    rows = summaries.by_class(_day(request))
    return render(request, "ivk/summary.html", {"rows": rows, "total": summaries.total(rows), "day": _day(request)})


@require_GET
def summary_sheet(request: HttpRequest) -> HttpResponse:
    day = _day(request)
    rows = summaries.by_class(day)
    head = ["Forgalomképesség", "Fekvés", "Darab", "Terület (m²)", "Bruttó (Ft)", "Értékcsökkenés (Ft)", "Nettó (Ft)"]
    lines = [
        (r.transferability, r.area, r.count, r.square_metres, r.gross, r.depreciation, r.net)
        for r in [*rows, summaries.total(rows)]
    ]
    return sheet(f"ingatlanvagyon-{day:%Y-%m-%d}", head, lines, "Ingatlanvagyon")
