"""Filling in a form: begin a draft, answer step by step, attach files, review and submit."""

from __future__ import annotations

from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.room import ROOM
from systems.elugy import submitting
from systems.elugy.citizen import citizens
from systems.elugy.forms import AttachmentForm, complete, step_form
from systems.elugy.models import Attachment, Parameter, Submission
from systems.elugy.views import form_or_404
from systems.shared import bodies


def drafts(view):
    """For views of a citizen's own draft: a submitted one redirects to its case, somebody else's is 404."""

    @citizens
    @wraps(view)
    def wrapper(request: HttpRequest, pk: UUID, **kwargs) -> HttpResponse:
        draft = get_object_or_404(Submission, pk=pk, identifier=request.citizen.identifier)
        if draft.sent:
            return redirect("elugy:case", pk=pk)
        return view(request, draft, **kwargs)

    return wrapper


@citizens
@require_POST
def begin(request: HttpRequest, code: str) -> HttpResponse:
    """Begin a draft; an existing one without answers is used again, so that a double click begins only one."""
    form, citizen = form_or_404(code, request.tenant.ksh), request.citizen
    with transaction.atomic():
        own = Submission.objects.select_for_update().filter(identifier=citizen.identifier, arrival_number=None)
        existing = list(own)
        draft = next((d for d in existing if (d.form, d.version, d.data) == (form.code, form.version, {})), None)
        if draft is None and len(existing) >= Parameter.value_of("drafts"):
            messages.error(request, "Túl sok megkezdett űrlapja van. Előbb küldje be vagy törölje valamelyiket.")
            return redirect("elugy:cases")
        if draft is None:
            draft = Submission.objects.create(
                form=form.code,
                version=form.version,
                identifier=citizen.identifier,
                name=citizen.name,
                email=citizen.email,
            )
    return redirect("elugy:step", pk=draft.pk, slug=form.steps[0].slug)


@drafts
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, draft: Submission, slug: str) -> HttpResponse:
    """One step: "tovább" requires it to be complete, "mentés" saves its valid answers for later."""
    answers = draft.answers
    current = draft.definition.step(slug, answers)
    if current is None:
        return redirect("elugy:review", pk=draft.pk)
    form = step_form(current, answers, request.POST if request.method == "POST" else None)
    if form.is_bound:
        later = "kesobb" in request.POST
        if form.is_valid() or later:
            if not _save(draft, form.values(), request.POST.get("revision", "")):
                messages.error(request, "Ezt az űrlapot közben egy másik ablakban módosította; itt a mostani állapota.")
                return redirect("elugy:step", pk=draft.pk, slug=slug)
            if later:
                messages.success(request, "A piszkozatot mentettük, később folytathatja.")
                return redirect("elugy:cases")
            next_slug = _after(draft, slug)
            return redirect("elugy:step", draft.pk, next_slug) if next_slug else redirect("elugy:attachments", draft.pk)
    path = draft.definition.path(answers)
    place = [entry.slug for entry in path].index(slug)
    context = {
        "draft": draft,
        "step": current,
        "form": form,
        "number": place + 1,
        "count": len(path) + 1,
        "previous": path[place - 1] if place else None,
    }
    return render(request, "elugy/step.html", context, status=422 if form.errors else 200)


def _save(draft: Submission, values: dict, revision: str) -> bool:
    """Save answers, unless another window has done so since this page was shown. Unchanged answers need no saving."""
    if values.items() <= draft.data.items():
        return True
    draft.data = {**draft.data, **values}
    rows = Submission.objects.filter(
        pk=draft.pk, arrival_number=None, revision=int(revision) if revision.isdecimal() else -1
    ).update(data=draft.data, revision=draft.revision + 1, updated_at=timezone.now())
    return rows == 1


def _after(draft: Submission, slug: str) -> str | None:
    """The next step, now that an answer may have made some applicable or not."""
    slugs = [entry.slug for entry in draft.definition.path(draft.answers)]
    place = slugs.index(slug) + 1
    return slugs[place] if place < len(slugs) else None


def _largest_file() -> int:
    """Bytes of a file: what the municipality allows, at most what every server on the way lets through."""
    return min(Parameter.value_of("attachment_bytes"), bodies.SCAN)


@drafts
@require_GET
def attachments(request: HttpRequest, draft: Submission) -> HttpResponse:
    return _attachments(request, draft, AttachmentForm(limit=_largest_file()))


def _attachments(request: HttpRequest, draft: Submission, form: AttachmentForm, status: int = 200) -> HttpResponse:
    context = {
        "draft": draft,
        "form": form,
        "files": draft.attachments.defer("content"),
        "limit": form.limit // 1024**2,
        "total": Parameter.value_of("attachments_bytes") // 1024**2,
    }
    return render(request, "elugy/attachments.html", context, status=status)


@drafts
@require_POST
def attach(request: HttpRequest, draft: Submission) -> HttpResponse:
    form = AttachmentForm(request.POST, request.FILES, limit=_largest_file())
    if not form.is_valid():
        return _attachments(request, draft, form, status=422)
    file = form.cleaned_data["file"]
    with transaction.atomic():
        Submission.objects.select_for_update().get(pk=draft.pk)
        size = draft.attachments.aggregate(total=Sum("size"))["total"] or 0
        if draft.attachments.filter(sha256=file["sha256"]).exists():
            messages.success(request, "Ez a fájl már csatolva van.")
        elif size + file["size"] > Parameter.value_of("attachments_bytes"):
            form.add_error("file", "A csatolmányok együtt túl nagyok lennének.")
            return _attachments(request, draft, form, status=422)
        else:
            Attachment.objects.create(submission=draft, **file)
            messages.success(request, f"Csatoltuk: {file['name']}")
    return redirect("elugy:attachments", pk=draft.pk)


@drafts
@require_POST
def detach(request: HttpRequest, draft: Submission, file: int) -> HttpResponse:
    draft.attachments.filter(pk=file).delete()
    messages.success(request, "A csatolmányt eltávolítottuk.")
    return redirect("elugy:attachments", pk=draft.pk)


@drafts
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, draft: Submission) -> HttpResponse:
    """Review of all answers; submitting is final, and doing it twice submits once."""
    if request.method == "POST":
        try:
            with ROOM.work():  # attachments become a message
                submission = submitting.submit(draft.pk, request.citizen.identifier)
        except submitting.Incomplete:
            messages.error(request, "Az űrlap még hiányos, ezért nem küldtük be.")
            return redirect("elugy:review", pk=draft.pk)
        messages.success(request, f"Az űrlap megérkezett. Érkeztetési azonosító: {submission.arrival_number}")
        return redirect("elugy:case", pk=draft.pk)
    answers = draft.answers
    steps = [(step, questions, complete(step, answers)) for step, questions in draft.definition.answers(answers)]
    context = {
        "draft": draft,
        "steps": steps,
        "ready": all(is_complete for _, _, is_complete in steps),
        "files": draft.attachments.defer("content"),
    }
    return render(request, "elugy/review.html", context)


@drafts
@require_POST
def discard(request: HttpRequest, draft: Submission) -> HttpResponse:
    try:
        draft.delete()
    except IntegrityError:  # submitted from another window at this moment
        return redirect("elugy:case", pk=draft.pk)
    messages.success(request, "A piszkozatot töröltük.")
    return redirect("elugy:cases")
