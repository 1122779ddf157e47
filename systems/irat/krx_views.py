"""Pages of KRX packages: booking one that arrives, looking into it before registration, making one from a case."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from systems.core import documents, uploads
from systems.core.access import has, needs
from systems.core.errors import NotPossible
from systems.core.room import ROOM
from systems.irat import filing, handling, krx, reading
from systems.irat.case_views import CLERKS
from systems.irat.forms import KrxForm, KrxSendForm
from systems.irat.models import Case, CaseEvent, KrxPackage
from systems.shell import activity

WRITER = "iktato"


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest) -> HttpResponse:
    """Book a package; a faulty one becomes an error of the form and is not kept."""
    form = KrxForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                item = filing.book_package(uploads.content(form.cleaned_data["package"]), request.clerk.name)
                activity.record(request, "érkeztetés", item.number)
        except krx.KrxFault as fault:
            form.add_error("package", str(fault))
        except IntegrityError:  # the same package in two windows at once
            form.add_error("package", "Ez a csomag éppen most érkezett meg. Keresse az érkeztetőkönyvben.")
        else:
            messages.success(request, f"Érkeztettük. Azonosítója: {item.number}")
            return redirect("irat:krx", pk=item.pk)
    lead = "A csomag iratai egy főszámra kerülnek, amikor a küldeményt iktatják."
    context = {"form": form, "title": "KRX-csomag érkeztetése", "lead": lead, "submit": "Érkeztetés"}
    context["back"] = reverse("irat:arrivals")
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@require_GET
def contents(request: HttpRequest, pk: int) -> HttpResponse:
    """The contents of a package, until it is registered or sent back."""
    record = get_object_or_404(KrxPackage.objects.select_related("incoming__document__case"), incoming=pk)
    if record.incoming.document:
        reading.check(request, record.incoming.document.case)
    with ROOM.work():
        package = krx.unpack(bytes(record.content)) if record.content is not None else None
    context = {"item": record.incoming, "record": record, "package": package, "may": has(request, WRITER)}
    return render(request, "irat/krx.html", context)


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a package of a case's documents, to be sent through the gateway; the case's history records it."""
    case = reading.case_of(request, pk)
    form = KrxSendForm(request.POST or None, case=case, initial={"documents": case.documents.all()})
    if form.is_bound and form.is_valid():
        try:
            with ROOM.work(), transaction.atomic():
                return _download(request, handling.lock_case(pk, *handling.UNSCRAPPED), form.cleaned_data)
        except (NotPossible, krx.KrxFault) as fault:
            form.add_error(None, str(fault))
    context = {"form": form, "title": f"KRX-csomag készítése: {case.number}", "lead": case.subject}
    context |= {"submit": "KRX-csomag letöltése", "back": reverse("irat:case", args=[pk])}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


def _download(request: HttpRequest, case: Case, data: dict[str, Any]) -> HttpResponse:
    """The package as a download, recorded in the caller's transaction."""
    selection = list(data["documents"].prefetch_related("attachments"))
    to = krx.Office(data["addressee"], data["ksh"])
    content = krx.pack(filing.of_documents(selection, uuid.uuid4(), to))
    numbers = ", ".join(document.number for document in selection)
    handling.add_event(case, CaseEvent.Kind.PACKED, request.clerk.name, f"{to.name}: {numbers}")
    activity.record(request, "KRX-csomag kiadása", case.number)
    return documents.download(content, f"{case.number.replace('/', '-')}.krx", "application/zip")
