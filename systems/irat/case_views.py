"""Pages of cases: assignment, deadlines, outgoing documents, settlement."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.access import has, needs
from systems.core.clerk import Clerk
from systems.core.errors import NotPossible
from systems.irat import handling, reading
from systems.irat.forms import (
    ArchiveForm,
    AssignForm,
    DeadlineForm,
    DispatchForm,
    OutgoingForm,
    ReasonForm,
    SettleForm,
)
from systems.irat.models import Case, Direction, Document, Outgoing
from systems.shared import workdays
from systems.shell import activity

LEADER, CLERKS = "vezeto", ("ugyintezo", "iktato", "vezeto")
PAGE = 25
DAYS = 60  # calendar days: the general time limit (2016. évi CL. törvény 50. §), assumed for all kinds of cases
State = Case.State
FILTERS = {"": "Folyamatban", "sajat": "Saját ügyeim", "lejart": "Lejárt határidejű", "mind": "Minden ügyirat"}


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    filter_key = request.GET.get("szuro", "") if request.GET.get("szuro", "") in FILTERS else ""
    cases = Case.objects.select_related("register").filter(reading.readable(request)).order_by("deadline", "-id")
    if filter_key != "mind":
        cases = cases.filter(state__in=(State.OPEN, State.ASSIGNED))
    if filter_key == "sajat":
        cases = cases.filter(assignee_username=request.clerk.username)
    if filter_key == "lejart":
        cases = cases.filter(state=State.ASSIGNED, deadline__lt=timezone.localdate())
    page = Paginator(cases, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "irat/cases.html", {"page": page, "filter_key": filter_key, "filters": FILTERS})


@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    case = reading.case_of(request, pk)
    context = {
        "case": case,
        "documents": case.documents.order_by("sub"),
        "events": case.events.all(),
        "drafts": case.outgoing.filter(document=None),
        "continued_by": case.continued_by.select_related("register"),
        "actions": _actions(request, case),
    }
    return render(request, "irat/case.html", context)


def _actions(request: HttpRequest, case: Case) -> list[tuple[str, str]]:
    """What the clerk may do with the case now, as (address, label)."""
    in_progress = case.state in (State.OPEN, State.ASSIGNED)
    offers = [
        (in_progress and has(request, LEADER), "assign", "Szignálás"),
        (case.state == State.ASSIGNED and has(request, LEADER), "postpone", "Határidő módosítása"),
        (in_progress and has(request, *CLERKS), "draft", "Kiadmánytervezet készítése"),
        (in_progress and has(request, *CLERKS), "settle", "Elintézés"),
        (case.state == State.SETTLED and has(request, *CLERKS), "archive", "Irattárba helyezés"),
        (case.state == State.SETTLED and has(request, LEADER), "reopen", "Újranyitás"),
        (case.state != State.SCRAPPED and has(request, *CLERKS), "send-krx", "KRX-csomag készítése"),
        (not case.restricted and has(request, LEADER), "restrict", "Hozzáférés korlátozása"),
        (case.restricted and has(request, LEADER), "unrestrict", "Korlátozás feloldása"),
    ]
    return [(reverse(f"irat:{name}", args=[case.pk]), label) for may, name, label in offers if may]


def _form(
    request: HttpRequest, pk: int, form: forms.Form, title: str, act: Callable[[Case], str], *states: Case.State
) -> HttpResponse:
    """A page with one form that changes one case; a refusal becomes an error of the form."""
    case = reading.case_of(request, pk)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                message = act(handling.lock_case(pk, *states))
                activity.record(request, title.lower(), case.number)
            messages.success(request, message)
            return redirect("irat:case", pk=pk)
        except NotPossible as fault:
            form.add_error(None, str(fault))
    context = {
        "form": form,
        "title": f"{title}: {case.number}",
        "lead": case.subject,
        "submit": title,
        "back": reverse("irat:case", args=[pk]),
    }
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


def _clerks(clerk: Clerk) -> dict[str, str]:
    """Username → name of those who can be assigned, the asking clerk first: not locked, and with a role in records.

    Clerks without roles set by the administrator are included: their roles are known only at their next sign-in.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT username, name FROM keret.clerk_access WHERE NOT locked "
            "AND (NOT managed OR EXISTS (SELECT FROM unnest(roles) role WHERE role LIKE 'irat.%')) ORDER BY name"
        )
        return {clerk.username: clerk.name} | {
            username: name for username, name in cursor if username != clerk.username
        }


@needs(LEADER)
@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    clerk, today = request.clerk, timezone.localdate()
    due = workdays.after(today + timezone.timedelta(days=DAYS), 0)
    clerks = _clerks(clerk)
    form = AssignForm(request.POST or None, clerks=clerks, initial={"deadline": due})

    def act(case: Case) -> str:
        data = form.cleaned_data
        name = clerks[data["assignee"]]
        handling.assign(case, data["assignee"], name, data["deadline"], data["note"], clerk.name)
        return f"Az ügyiratot szignáltuk: {name}."

    return _form(request, pk, form, "Szignálás", act, State.OPEN, State.ASSIGNED)


@needs(LEADER)
@require_http_methods(["GET", "POST"])
def postpone(request: HttpRequest, pk: int) -> HttpResponse:
    form = DeadlineForm(request.POST or None)

    def act(case: Case) -> str:
        handling.postpone(case, form.cleaned_data["deadline"], form.cleaned_data["reason"], request.clerk.name)
        return "A határidőt módosítottuk."

    return _form(request, pk, form, "Határidő módosítása", act, State.ASSIGNED)


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    form = SettleForm(request.POST or None)

    def act(case: Case) -> str:
        handling.settle(case, form.cleaned_data["outcome"], form.cleaned_data["note"], request.clerk.name)
        return "Az ügyiratot elintéztük."

    return _form(request, pk, form, "Elintézés", act, State.OPEN, State.ASSIGNED)


@needs(LEADER)
@require_http_methods(["GET", "POST"])
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    form = ReasonForm(request.POST or None)

    def act(case: Case) -> str:
        handling.reopen(case, form.cleaned_data["reason"], request.clerk.name)
        return "Az ügyiratot újranyitottuk."

    return _form(request, pk, form, "Újranyitás", act, State.SETTLED)


@needs(LEADER)
@require_http_methods(["GET", "POST"])
def restrict(request: HttpRequest, pk: int, restricted: bool) -> HttpResponse:
    """Restrict a case to few readers, or open it again to everybody in records."""
    form = ReasonForm(request.POST or None)

    def act(case: Case) -> str:
        handling.restrict(case, restricted, form.cleaned_data["reason"], request.clerk.name)
        return "Az ügyirat hozzáférését módosítottuk."

    return _form(request, pk, form, "Hozzáférés korlátozása" if restricted else "Korlátozás feloldása", act)


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    form = ArchiveForm(request.POST or None)

    def act(case: Case) -> str:
        handling.archive(case, form.cleaned_data["item"], request.clerk.name)
        return "Az ügyiratot irattárba helyeztük."

    return _form(request, pk, form, "Irattárba helyezés", act, State.SETTLED)


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """A new draft in the case, by default addressed to the sender of its first letter."""
    letter = Document.objects.filter(case=pk, direction=Direction.IN).order_by("sub").first()
    initial = {"addressee": letter.sender, "subject": f"Válasz: {letter.subject}"[:300]} if letter else {}
    form = OutgoingForm(request.POST or None, initial=initial)

    def act(case: Case) -> str:
        draft = form.save(commit=False)
        draft.case, draft.drafted_by = case, request.clerk.name
        draft.save()
        return "A tervezet kiadmányozásra vár."

    return _form(request, pk, form, "Kiadmánytervezet készítése", act, State.OPEN, State.ASSIGNED)


@require_GET
def drafts(request: HttpRequest) -> HttpResponse:
    drafts = Outgoing.objects.filter(reading.readable(request, "case__"), document=None)
    drafts = drafts.select_related("case__register")
    page = Paginator(drafts, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "irat/drafts.html", {"page": page})


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def draft_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft, which can be edited until it is signed."""
    draft = get_object_or_404(Outgoing.objects.select_related("case__register", "document"), pk=pk)
    reading.check(request, draft.case)
    form = None if draft.document_id else OutgoingForm(request.POST or None, instance=draft)
    if form and form.is_bound and form.is_valid():
        with transaction.atomic():
            locked_draft = get_object_or_404(Outgoing.objects.select_for_update(), pk=pk)
            if locked_draft.document_id is None:
                form.save()
                activity.record(request, "kiadmánytervezet módosítása", draft.case.number)
        return redirect("irat:drafts")
    context = {"draft": draft, "form": form, "may_sign": has(request, LEADER), "reason": ReasonForm()}
    return render(request, "irat/draft.html", context, status=422 if form and form.errors else 200)


@needs(LEADER)
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign a draft, or return it with a reason."""
    draft = get_object_or_404(Outgoing, pk=pk)
    reason = ReasonForm(request.POST) if "vissza" in request.POST else None
    if reason and not reason.is_valid():
        messages.error(request, "Írja le, miért adja vissza a tervezetet.")
        return redirect("irat:draft-page", pk=pk)
    try:
        with transaction.atomic():
            locked_draft = get_object_or_404(Outgoing.objects.select_for_update(), pk=pk)
            if reason:
                handling.give_back(locked_draft, reason.cleaned_data["reason"], request.clerk.name)
                activity.record(request, "tervezet visszaadása", str(pk))
                messages.success(request, "A tervezetet visszaadtuk.")
                return redirect("irat:drafts")
            document = handling.approve(locked_draft, request.clerk.name)
            activity.record(request, "kiadmányozás", document.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
        return redirect("irat:case", pk=draft.case_id)
    messages.success(request, f"Kiadmányoztuk. Iktatószáma: {document.number}")
    return redirect("irat:document", pk=document.pk)


@needs(*CLERKS)
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Discard a draft; the case's history keeps a line about it."""
    draft = get_object_or_404(Outgoing.objects.select_related("case__register"), pk=pk)
    reading.check(request, draft.case)
    try:
        with transaction.atomic():
            handling.discard(get_object_or_404(Outgoing.objects.select_for_update(), pk=pk), request.clerk.name)
            activity.record(request, "kiadmánytervezet elvetése", draft.case.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A tervezetet elvetettük.")
    return redirect("irat:case", pk=draft.case_id)


@require_GET
def dispatches(request: HttpRequest) -> HttpResponse:
    documents = Document.objects.filter(
        reading.readable(request, "case__"), direction=Direction.OUT, dispatched_on=None
    )
    documents = documents.order_by("id")
    page = Paginator(documents, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "irat/dispatches.html", {"page": page, "may": has(request, *CLERKS)})


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def dispatch(request: HttpRequest, pk: int) -> HttpResponse:
    document = reading.document_of(request, pk)
    form = DispatchForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                locked_document = Document.objects.select_for_update().get(pk=pk)
                handling.dispatch(
                    locked_document, form.cleaned_data["way"], form.cleaned_data["day"], request.clerk.name
                )
                activity.record(request, "expediálás", locked_document.number)
            messages.success(request, f"Expediáltuk: {document.number}")
            return redirect("irat:dispatches")
        except NotPossible as fault:
            form.add_error(None, str(fault))
    context = {"form": form, "title": f"Expediálás: {document.number}", "lead": document.addressee}
    context |= {"submit": "Expediálás", "back": reverse("irat:dispatches")}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)
