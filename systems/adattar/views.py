"""The warehouse's pages: which feeds came, and the municipality's own figures."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from systems.adattar.models import Feed, Figure, Parameter
from systems.core import sheets
from systems.core.charts import bars
from systems.shared import parts

DAYS = 14  # of feeds that the first page shows


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Feeds of the last days: whole, wrong, late or missing, by system."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    days = [yesterday - dt.timedelta(days=n) for n in range(DAYS)]
    feeds: dict[tuple[str, dt.date], Feed] = {}
    for feed in Feed.objects.filter(day__gte=days[-1]).order_by("received_at"):
        current = feeds.get((feed.system, feed.day))
        if current is None or current.status == Feed.Status.WRONG:
            feeds[feed.system, feed.day] = feed
    deadline = Parameter.value_of("feed_deadline_hour")
    first = Feed.objects.aggregate(day=Min("day"))["day"]
    rows = [
        (entry, [_state(feeds.get((entry.id, day)), day, deadline, first) for day in days])
        for entry in _delivering_systems(request)
    ]
    wrong = Feed.objects.filter(status=Feed.Status.WRONG, day__gte=days[-1]).order_by("-received_at")
    return render(request, "adattar/index.html", {"days": days, "rows": rows, "wrong": wrong, "deadline": deadline})


def _delivering_systems(request: HttpRequest) -> list:
    """Systems that the municipality has and that deliver."""
    entries = (entry for entry in settings.ASP.catalogue if entry.serves(request.tenant.ksh))
    return [entry for entry in entries if parts.delivers(entry.id)]


def _state(feed: Feed | None, day: dt.date, deadline: int, first: dt.date | None) -> tuple[str, str, str]:
    """Sign, words and style of one day of one system. `first`: the day of the warehouse's very first feed."""
    if first and day < first:
        return "–", "még nem volt adatátadás", ""
    deadline_at = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(deadline)))
    if feed is None:
        return ("–", "még nem esedékes", "") if timezone.now() < deadline_at else ("!", "hiányzik", "wrong")
    if feed.status == Feed.Status.WRONG:
        return "×", "hibás", "wrong"
    if feed.late:
        return "u", "utólag készült", ""
    return ("k", "megjött, későn", "") if feed.received_at > deadline_at else ("✓", "megjött", "good")


@require_GET
def system(request: HttpRequest, system: str) -> HttpResponse:
    """Figures of one system on its last day, and the course of a chosen measure."""
    entry = next((entry for entry in _delivering_systems(request) if entry.id == system), None)
    if entry is None:
        raise Http404
    feeds = Feed.objects.filter(system=system, status=Feed.Status.WHOLE)
    last_day = feeds.aggregate(day=Max("day"))["day"]
    late = sorted(feeds.filter(late=True).values_list("day", flat=True))
    figures = list(Figure.objects.filter(feed__system=system, feed__day=last_day, feed__status=Feed.Status.WHOLE))
    measure = request.GET.get("mutato", figures[0].measure if figures else "")
    history: dict[dt.date, int] = {}
    for day, value in Figure.objects.filter(
        feed__system=system, feed__status=Feed.Status.WHOLE, measure=measure
    ).values_list("feed__day", "value"):
        history[day] = history.get(day, 0) + value
    course = bars((day.strftime("%Y. %m. %d."), history[day]) for day in sorted(history)[-30:])
    context = {
        "entry": entry,
        "day": last_day,
        "figures": figures,
        "measure": measure,
        "course": course,
        "late": late[-DAYS:],
    }
    return render(request, "adattar/system.html", context)


@require_GET
def sheet(request: HttpRequest, system: str) -> HttpResponse:
    """All figures of one system as XLSX."""
    if not any(entry.id == system for entry in _delivering_systems(request)):
        raise Http404
    figures = Figure.objects.filter(feed__system=system, feed__status=Feed.Status.WHOLE).select_related("feed")
    rows = [
        (f.feed.day, f.measure, f.dimension, f.value, "igen" if f.feed.late else "")
        for f in figures.order_by("feed__day", "measure", "dimension")
    ]
    return sheets.sheet(f"adattar-{system}", ["Nap", "Mutató", "Bontás", "Érték", "Utólag készült"], rows)
