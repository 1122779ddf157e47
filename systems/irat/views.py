"""The records system's pages: search, view and register documents."""

import mimetypes

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from systems.core import documents, uploads
from systems.core.access import has, needs
from systems.core.errors import NotPossible
from systems.irat import filing, handling, reading
from systems.irat.forms import ArrivalForm, AttachmentForm, DocumentForm
from systems.irat.models import USUAL, Attachment, Case, Document, Incoming, Register, Submission, find
from systems.shell import activity

WRITER, LEADER, CLERKS = "iktato", "vezeto", ("ugyintezo", "iktato", "vezeto")
PAGE = 25


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:200]
    page = Paginator(find(query).filter(reading.readable(request, "case__")), PAGE).get_page(request.GET.get("oldal"))
    context = {
        "page": page,
        "query": query,
        "may_register": has(request, WRITER),
        "open_registers": _open_registers(request),
    }
    return render(request, "irat/index.html", context)


def _open_registers(request: HttpRequest) -> list[Register]:
    """In January, for leaders: last year's registers that are still open."""
    today = timezone.localdate()
    if today.month > 1 or not has(request, LEADER):
        return []
    return list(Register.objects.filter(year=today.year - 1, closed_at=None))


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    document = reading.document_of(request, pk)
    submission = Submission.objects.filter(document=document).first()
    context = {
        "document": document,
        "siblings": document.case.documents.order_by("sub").exclude(pk=pk),
        "attachments": document.attachments.defer("content"),
        "submission": submission,
        "target": submission and _name_of(submission.target),
        "answers": _answers(submission) if submission else [],
        "may_register": has(request, WRITER) and document.case.state != Case.State.SCRAPPED,
        "may_attach": has(request, *CLERKS) and document.case.state != Case.State.SCRAPPED,
    }
    return render(request, "irat/detail.html", context)


def _name_of(system: str) -> str:
    """A system's name; its id when the catalogue no longer has it."""
    return next((entry.name for entry in settings.ASP.catalogue if entry.id == system), system)


def _answers(submission: Submission) -> list[dict]:
    """Questions and answers by step; for a form that came without labels, by the names of its fields."""
    words = {True: "igen", False: "nem"}
    plain = [(name, words[value] if isinstance(value, bool) else value) for name, value in submission.data.items()]
    return submission.answers or ([{"title": "Válaszok", "answers": plain}] if plain else [])


@require_GET
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of a document as a download; browsers never show it as a page of this site."""
    file = get_object_or_404(Attachment.objects.select_related("document__case"), pk=pk)
    reading.check(request, file.document.case)
    return documents.download(bytes(file.content), file.name, "application/octet-stream")


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a file to a registered document; it cannot be removed again."""
    document = reading.document_of(request, pk)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        try:
            with transaction.atomic():
                handling.lock_case(document.case_id, *handling.UNSCRAPPED)
                handling.attach(document, file.name, kind, uploads.content(file))
                activity.record(request, "csatolmány hozzáadása", document.number)
            messages.success(request, f"A fájlt csatoltuk: {file.name}")
            return redirect("irat:document", pk=pk)
        except NotPossible as fault:
            form.add_error(None, str(fault))
    context = {"form": form, "title": f"Csatolmány hozzáadása: {document.number}", "lead": document.subject}
    context |= {"submit": "Csatolás", "back": reverse("irat:document", args=[pk])}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Register a document: under a new main number, or under the case of document `pk`."""
    sibling = reading.document_of(request, pk) if pk else None
    form = DocumentForm(request.POST or None, registers=() if sibling else Register.prefixes())
    valid = form.is_bound and form.is_valid()
    if valid and (document := _register(request, form, sibling.case_id if sibling else None)):
        return redirect("irat:document", pk=document.pk)
    return render(request, "irat/new.html", {"form": form, "sibling": sibling}, status=422 if form.errors else 200)


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def register_arrival(request: HttpRequest, pk: int) -> HttpResponse:
    """Register an item of the arrival book: under a new main number, or under the one in the form."""
    item = get_object_or_404(Incoming, pk=pk)
    initial = {name: getattr(item, name) for name in ("sender", "subject", "arrival", "received_on")}
    initial |= filing.letter_data(item)
    form = ArrivalForm(request.POST or None, initial=initial, registers=Register.prefixes())
    valid = item.waits and form.is_bound and form.is_valid()
    if valid and (document := _register(request, form, form.cleaned_data["main"], item)):
        if reading.may_read(request, document.case):
            return redirect("irat:document", pk=document.pk)
        return redirect("irat:arrivals")  # a letter may be filed in a case that its registrar may not read
    if not item.waits:
        messages.error(request, "Ezt a küldeményt már iktatták vagy visszaküldték.")
        return redirect("irat:arrivals")
    return render(request, "irat/new.html", {"form": form, "item": item}, status=422 if form.errors else 200)


def _register(
    request: HttpRequest, form: DocumentForm, case: int | None, item: Incoming | None = None
) -> Document | None:
    """The document of a valid form, registered now, or earlier when the same form was sent twice (a double click).

    None, with an error on the form, when the state of its case forbids it. `case`: key of its case. `item`: of the
    arrival book, which becomes the document; when somebody else has just registered it, theirs is returned.
    """
    token = form.cleaned_data["token"]
    document = form.save(commit=False)
    document.registered_by, document.form_token = request.clerk.name, token
    try:
        with transaction.atomic():
            if item:
                locked_item = Incoming.objects.select_for_update().get(pk=item.pk)
                if locked_item.document:
                    return locked_item.document
            prefix = form.cleaned_data.get("register", USUAL)
            document.register(handling.admit(case, request.clerk.name) if case else None, prefix)
            if item:
                Incoming.objects.filter(pk=item.pk).update(document=document)
                filing.file(item, document)
            activity.record(request, "iktatás", document.number)
    except NotPossible as fault:
        form.add_error(None, str(fault))
        return None
    except IntegrityError:
        document = Document.objects.filter(form_token=token).first()
        if document is None:
            raise
    messages.success(request, f"Az iratot iktattuk. Iktatószáma: {document.number}")
    return document
