"""What clerks see: what arrived, and how much of what."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from systems.core.access import needs
from systems.core.charts import bars
from systems.core.documents import download
from systems.elugy import catalogue
from systems.elugy.models import Status, Submission

CLERK = "ugyintezo"
PAGE = 25
MONTHS = 12  # of statistics


@needs(CLERK)
@require_GET
def arrived(request: HttpRequest) -> HttpResponse:
    """What was sent, newest first; found by number, name, form and status."""
    query, form, status = (request.GET.get(name, "").strip()[:100] for name in ("q", "urlap", "allapot"))
    found = Submission.objects.exclude(arrival_number=None).defer("data").order_by("-submitted_at", "-pk")
    if query:
        found = found.filter(Q(arrival_number__iexact=query) | Q(case_number__iexact=query) | Q(name__icontains=query))
    if form:
        found = found.filter(form=form)
    if status:
        found = found.filter(status=status)
    context = {
        "page": Paginator(found, PAGE).get_page(request.GET.get("oldal")),
        "query": query,
        "form": form,
        "status": status,
        "forms": catalogue.current(),
        "statuses": Status.choices,
    }
    return render(request, "elugy/arrived.html", context)


@needs(CLERK)
@require_GET
def submission(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One form as it was sent."""
    shown = _arrived(pk)
    context = {
        "submission": shown,
        "events": shown.events.all(),
        "answered": list(shown.definition.answered(shown.data)),
        "files": shown.attachments.defer("content"),
    }
    return render(request, "elugy/submission.html", context)


@needs(CLERK)
@require_GET
def attachment(request: HttpRequest, pk: UUID, file: int) -> HttpResponse:
    found = get_object_or_404(_arrived(pk).attachments, pk=file)
    return download(bytes(found.content), found.name, found.type)


def _arrived(pk: UUID) -> Submission:
    return get_object_or_404(Submission, pk=pk, arrival_number__isnull=False)


@needs(CLERK)
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """How many came: by form, by month, by where they stand."""
    sent = Submission.objects.exclude(arrival_number=None)
    titles = {form.code: form.title for form in catalogue.current()}
    by_form = sent.values_list("form").annotate(n=Count("pk")).order_by("-n", "form")
    since = (timezone.localdate().replace(day=1) - dt.timedelta(days=(MONTHS - 1) * 30)).replace(day=1)
    by_month = (
        sent.filter(submitted_at__date__gte=since)
        .annotate(month=TruncMonth("submitted_at"))
        .values_list("month")
        .annotate(n=Count("pk"))
        .order_by("month")
    )
    by_status = sent.values_list("status").annotate(n=Count("pk")).order_by("-n", "status")
    context = {
        "by_form": bars((titles.get(form, form), n) for form, n in by_form),
        "by_month": bars((f"{month:%Y. %m.}", n) for month, n in by_month),
        "by_status": bars((Status(status).label, n) for status, n in by_status),
        "drafts": Submission.objects.filter(arrival_number=None).count(),
    }
    return render(request, "elugy/statistics.html", context)
