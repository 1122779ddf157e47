"""What anybody sees (the catalogue), and what a citizen sees of their own: cases, receipts, tax balance."""

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

SHOWN = 200  # of a citizen's cases


@open_to_all
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The catalogue; forms whose system the municipality does not have are left out."""
    request.citizen = Citizen.of(request)
    offered = [form for form in catalogue.current() if _served(form.target, request.tenant.ksh)]
    return render(request, "elugy/index.html", {"forms": offered})


def _served(target: str | None, ksh: str) -> bool:
    return target is None or any(entry.id == target and entry.serves(ksh) for entry in settings.ASP.catalogue)


def offered(code: str, ksh: str) -> catalogue.Definition:
    """The form that a citizen may begin here; 404 when there is none."""
    form = catalogue.newest(code)
    if form is None or not _served(form.target, ksh):
        raise Http404
    return form


@open_to_all
@require_GET
def about(request: HttpRequest, code: str) -> HttpResponse:
    """What a form is for, by which law, and what it will ask."""
    request.citizen = Citizen.of(request)
    return render(request, "elugy/about.html", {"form": offered(code, request.tenant.ksh)})


@citizens
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """Drafts to go on with, and what was sent."""
    own = Submission.objects.filter(identifier=request.citizen.identifier).defer("data")
    context = {
        "drafts": own.filter(arrival_number=None).order_by("-updated_at"),
        "sent": own.exclude(arrival_number=None).order_by("-submitted_at")[:SHOWN],
        "draft_days": Parameter.of("draft_days"),
    }
    return render(request, "elugy/cases.html", context)


def _sent(request: HttpRequest, pk: UUID) -> Submission:
    return get_object_or_404(Submission, pk=pk, identifier=request.citizen.identifier, arrival_number__isnull=False)


@citizens
@require_GET
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One case as it went so far, and what was sent."""
    submission = _sent(request, pk)
    context = {
        "submission": submission,
        "events": submission.events.defer("paper"),
        "papers": True,
        "answered": list(submission.definition.answered(submission.data)),
        "files": submission.attachments.defer("content"),
    }
    return render(request, "elugy/case.html", context)


@citizens
@require_GET
def receipt(request: HttpRequest, pk: UUID) -> HttpResponse:
    submission = _sent(request, pk)
    return receipts.receipt(submission).response(f"nyugta-{submission.arrival_number.replace('/', '-')}")


@citizens
@require_GET
def attachment(request: HttpRequest, pk: UUID, file: int) -> HttpResponse:
    """A file of theirs, of a draft or of what was sent."""
    own = get_object_or_404(Submission, pk=pk, identifier=request.citizen.identifier)
    found = get_object_or_404(own.attachments, pk=file)
    return download(bytes(found.content), found.name, found.type)


@citizens
@require_GET
def paper(request: HttpRequest, pk: UUID, event: int) -> HttpResponse:
    """What came with a step of their case: the decision."""
    found = get_object_or_404(_sent(request, pk).events.exclude(paper=None), pk=event)
    return download(bytes(found.paper), found.paper_name, "application/pdf")


@citizens
@require_GET
def balance(request: HttpRequest) -> HttpResponse:
    """The citizen's tax balance now, from the tax system; said so when this municipality does not have it."""
    rows = _balances(request.citizen.identifier) if _served("ado", request.tenant.ksh) else None
    total = sum(row["balance"] for row in rows) if rows else 0
    return render(request, "elugy/balance.html", {"rows": rows, "total": total})


def _balances(identifier: str) -> list[dict] | None:
    """Rows of the view that `ado` shares; None when it does not, yet."""
    columns = ("tax", "due", "paid", "interest", "balance", "as_of")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(columns)} FROM ado.citizen_balance WHERE identifier = %s ORDER BY tax", [identifier]
            )
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in ("42P01", "3F000", "42501"):  # no view, no schema, not granted
            return None
        raise
