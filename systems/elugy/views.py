"""Pages for everybody (the catalogue) and for a citizen: their cases, receipts and tax balance."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from systems.core.documents import download
from systems.elugy import catalogue, receipts
from systems.elugy.citizen import Citizen, citizens
from systems.elugy.models import Parameter, Submission
from systems.shell.sign_in import open_to_all

MOST_CASES = 200  # of a citizen's cases
NO_BALANCE = ("42883", "3F000", "42501")  # SQLSTATE: no function, no schema, not granted


@open_to_all
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The catalogue, without forms whose system the municipality lacks."""
    request.citizen = Citizen.from_session(request)
    forms = [form for form in catalogue.current() if _has_system(form.target, request.tenant.ksh)]
    return render(request, "elugy/index.html", {"forms": forms})


def _has_system(target: str | None, ksh: str) -> bool:
    return target is None or any(entry.id == target and entry.serves(ksh) for entry in settings.ASP.catalogue)


def form_or_404(code: str, ksh: str) -> catalogue.Definition:
    """A form that a citizen may begin at this municipality; 404 when there is none."""
    form = catalogue.newest(code)
    if form is None or not _has_system(form.target, ksh):
        raise Http404
    return form


@open_to_all
@require_GET
def about(request: HttpRequest, code: str) -> HttpResponse:
    """What a form is for, by which law, and what it asks for."""
    request.citizen = Citizen.from_session(request)
    return render(request, "elugy/about.html", {"form": form_or_404(code, request.tenant.ksh)})


@citizens
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The citizen's drafts and submitted forms."""
    submissions = Submission.objects.filter(identifier=request.citizen.identifier).defer("data")
    context = {
        "drafts": submissions.filter(arrival_number=None).order_by("-updated_at"),
        "submissions": submissions.exclude(arrival_number=None).order_by("-submitted_at")[:MOST_CASES],
        "draft_days": Parameter.value_of("draft_days"),
    }
    return render(request, "elugy/cases.html", context)


def _submission(request: HttpRequest, pk: UUID) -> Submission:
    return get_object_or_404(Submission, pk=pk, identifier=request.citizen.identifier, arrival_number__isnull=False)


@citizens
@require_GET
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The course of one case so far, and the submitted form."""
    submission = _submission(request, pk)
    context = {
        "submission": submission,
        "events": submission.events.defer("paper"),
        "papers": True,
        "sections": list(submission.definition.answers(submission.data)),
        "files": submission.attachments.defer("content"),
    }
    return render(request, "elugy/case.html", context)


@citizens
@require_GET
def receipt(request: HttpRequest, pk: UUID) -> HttpResponse:
    submission = _submission(request, pk)
    return receipts.receipt(submission).response(f"nyugta-{submission.arrival_number.replace('/', '-')}")


@citizens
@require_GET
def attachment(request: HttpRequest, pk: UUID, file: int) -> HttpResponse:
    """A file of the citizen's own draft or submitted form."""
    submission = get_object_or_404(Submission, pk=pk, identifier=request.citizen.identifier)
    attachment = get_object_or_404(submission.attachments, pk=file)
    return download(bytes(attachment.content), attachment.name, attachment.type)


@citizens
@require_GET
def paper(request: HttpRequest, pk: UUID, event: int) -> HttpResponse:
    """The document that came with a step of the citizen's case: the decision."""
    step = get_object_or_404(_submission(request, pk).events.exclude(paper=None), pk=event)
    return download(bytes(step.paper), step.paper_name, "application/pdf")


@citizens
@require_GET
def balance(request: HttpRequest) -> HttpResponse:
    """The citizen's current tax balance from the tax system, or a notice that this municipality has none."""
    rows = _balances(request.citizen.identifier) if _has_system("ado", request.tenant.ksh) else None
    total = sum(row["balance"] for row in rows) if rows else 0
    return render(request, "elugy/balance.html", {"rows": rows, "total": total})


def _balances(identifier: str) -> list[dict] | None:
    """Rows of the function that `ado` shares, which keeps the question; None when there is no such function yet."""
    columns = ("tax", "due", "paid", "interest", "balance", "as_of")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM ado.balance_of(%s) ORDER BY tax", [identifier])
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in NO_BALANCE:
            return None
        raise
