"""The records system's pages: find, look, register."""

import mimetypes

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from systems.core import activity, documents
from systems.core.access import has, needs
from systems.irat import filing, handling
from systems.irat.forms import AttachmentForm, DocumentForm
from systems.irat.models import Attachment, Case, Document, Incoming, Submission, find

WRITER, CLERKS = "iktato", ("ugyintezo", "iktato", "vezeto")
PAGE = 25


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:200]
    page = Paginator(find(query), PAGE).get_page(request.GET.get("oldal"))
    context = {"page": page, "query": query, "may_register": WRITER in request.clerk.roles_in("irat")}
    return render(request, "irat/index.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(Document.objects.select_related("case__register"), pk=pk)
    context = {
        "document": document,
        "siblings": document.case.documents.order_by("sub").exclude(pk=pk),
        "attachments": document.attachments.defer("content"),
        "submission": Submission.objects.filter(document=document).first(),
        "may_register": WRITER in request.clerk.roles_in("irat"),
        "may_attach": has(request, *CLERKS) and document.case.state != Case.State.SCRAPPED,
    }
    return render(request, "irat/detail.html", context)


@require_GET
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of a document, to be saved; browsers never show it as a page of ours."""
    file = get_object_or_404(Attachment, pk=pk)
    return documents.download(bytes(file.content), file.name, "application/octet-stream")


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """File something with a document that is registered already: it is never taken away again."""
    shown = get_object_or_404(Document, pk=pk)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        try:
            with transaction.atomic():
                handling.held(shown.case_id, *handling.UNSCRAPPED)
                handling.attach(shown, file.name, kind, file.read())
                activity.record(request, "csatolmány hozzáadása", shown.number)
            messages.success(request, f"A fájlt csatoltuk: {file.name}")
            return redirect("irat:document", pk=pk)
        except handling.NotPossible as fault:
            form.add_error(None, str(fault))
    context = {"form": form, "title": f"Csatolmány hozzáadása: {shown.number}", "lead": shown.subject}
    context |= {"submit": "Csatolás", "back": reverse("irat:document", args=[pk])}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Register a document: under a new main number, or under the case of document `pk`."""
    first = get_object_or_404(Document.objects.select_related("case__register"), pk=pk) if pk else None
    form = DocumentForm(request.POST) if request.method == "POST" else DocumentForm()
    if form.is_bound and form.is_valid():
        document = _registered(request, form, first.case if first else None)
        messages.success(request, f"Az iratot iktattuk. Iktatószáma: {document.number}")
        return redirect("irat:document", pk=document.pk)
    return render(request, "irat/new.html", {"form": form, "first": first}, status=422 if form.errors else 200)


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def register_arrival(request: HttpRequest, pk: int) -> HttpResponse:
    """Register an item of the arrival book under a new main number."""
    item = get_object_or_404(Incoming, pk=pk)
    known = {name: getattr(item, name) for name in ("sender", "subject", "arrival", "received_on")}
    known |= filing.known(item)
    form = DocumentForm(request.POST or None, initial=known)
    if item.waits and form.is_bound and form.is_valid():
        document = _registered(request, form, None, item)
        messages.success(request, f"Az iratot iktattuk. Iktatószáma: {document.number}")
        return redirect("irat:document", pk=document.pk)
    if not item.waits:
        messages.error(request, "Ezt a küldeményt már iktatták vagy visszaküldték.")
        return redirect("irat:arrivals")
    return render(request, "irat/new.html", {"form": form, "item": item}, status=422 if form.errors else 200)


def _registered(request: HttpRequest, form: DocumentForm, case: Case | None, item: Incoming | None = None) -> Document:
    """The document of a valid form, registered now, or before when the very form was sent twice (a double click).

    `item`: of the arrival book, that becomes it; when somebody else was faster, theirs.
    """
    token = form.cleaned_data["token"]
    document = form.save(commit=False)
    document.registered_by, document.form_token = request.clerk.name, token
    try:
        with transaction.atomic():
            if item:
                held = Incoming.objects.select_for_update().get(pk=item.pk)
                if held.document:
                    return held.document
            document.register(case)
            if item:
                Incoming.objects.filter(pk=item.pk).update(document=document)
                filing.file(item, document)
            activity.record(request, "iktatás", document.number)
    except IntegrityError:
        earlier = Document.objects.filter(form_token=token).first()
        if earlier is None:
            raise
        return earlier
    return document
