"""What clerks see: arrived forms, and statistics."""

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
def submissions(request: HttpRequest) -> HttpResponse:
    """Submitted forms, newest first, searched by number, name, form and status."""
    query, form, status = (request.GET.get(name, "").strip()[:100] for name in ("q", "urlap", "allapot"))
    submissions = Submission.objects.exclude(arrival_number=None).defer("data").order_by("-submitted_at", "-pk")
    if query:
        submissions = submissions.filter(
            Q(arrival_number__iexact=query) | Q(case_number__iexact=query) | Q(name__icontains=query)
        )
    if form:
        submissions = submissions.filter(form=form)
    if status:
        submissions = submissions.filter(status=status)
    context = {
        "page": Paginator(submissions, PAGE).get_page(request.GET.get("oldal")),
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
    """One form as it was submitted."""
    submission = _submission(pk)
    context = {
        "submission": submission,
        "events": submission.events.all(),
        "sections": list(submission.definition.answers(submission.data)),
        "files": submission.attachments.defer("content"),
    }
    return render(request, "elugy/submission.html", context)


@needs(CLERK)
@require_GET
def attachment(request: HttpRequest, pk: UUID, file: int) -> HttpResponse:
    attachment = get_object_or_404(_submission(pk).attachments, pk=file)
    return download(bytes(attachment.content), attachment.name, attachment.type)


def _submission(pk: UUID) -> Submission:
    return get_object_or_404(Submission, pk=pk, arrival_number__isnull=False)


@needs(CLERK)
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """Numbers of submitted forms by form, month and status."""
    submissions = Submission.objects.exclude(arrival_number=None)
    titles = {form.code: form.title for form in catalogue.current()}
    by_form = submissions.values_list("form").annotate(n=Count("pk")).order_by("-n", "form")
    since = (timezone.localdate().replace(day=1) - dt.timedelta(days=(MONTHS - 1) * 30)).replace(day=1)
    by_month = (
        submissions.filter(submitted_at__date__gte=since)
        .annotate(month=TruncMonth("submitted_at"))
        .values_list("month")
        .annotate(n=Count("pk"))
        .order_by("month")
    )
    by_status = submissions.values_list("status").annotate(n=Count("pk")).order_by("-n", "status")
    context = {
        "by_form": bars((titles.get(form, form), n) for form, n in by_form),
        "by_month": bars((f"{month:%Y. %m.}", n) for month, n in by_month),
        "by_status": bars((Status(status).label, n) for status, n in by_status),
        "drafts": Submission.objects.filter(arrival_number=None).count(),
    }
    return render(request, "elugy/statistics.html", context)
