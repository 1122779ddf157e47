"""Reporting, following and answering tickets, and what maintenance is coming."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.access import has, needs
from systems.core.documents import download
from systems.core.maintenance import coming
from systems.helpdesk.forms import MessageForm, StepForm, TicketForm
from systems.helpdesk.models import Step, Ticket, allowances
from systems.shell import activity

SUPPORT = "kezelo"
PAGE = 25


def _visible(request: HttpRequest):
    """Support sees every ticket of the municipality, clerks their own."""
    found = Ticket.objects.defer("file")
    return found if has(request, SUPPORT) else found.filter(username=request.clerk.username)


def _ticket(request: HttpRequest, pk: int) -> Ticket:
    return get_object_or_404(_visible(request), pk=pk)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    found = _visible(request).prefetch_related("steps")
    state = request.GET.get("allapot", "")
    if state in Ticket.State:
        found = found.filter(state=state)
    page = Paginator(found, PAGE).get_page(request.GET.get("oldal"))
    agreed = allowances()
    rows = [(ticket, _name(ticket.service), ticket.clock(agreed)) for ticket in page]
    context = {"page": page, "rows": rows, "state": state, "states": Ticket.State.choices, "coming": coming()}
    return render(request, "helpdesk/index.html", context)


def _name(system: str) -> str:
    return next((entry.name for entry in settings.ASP.catalogue if entry.id == system), system)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = TicketForm(request.tenant.ksh, request.POST or None, request.FILES or None)
    if form.is_valid():
        ticket = _reported(request, form)
        messages.success(request, f"A bejelentést rögzítettük. Hivatkozási száma: {ticket.number}")
        return redirect("helpdesk:ticket", pk=ticket.pk)
    context = {"form": form, "title": "Hiba vagy igény bejelentése", "submit": "Bejelentés", "back": "."}
    return render(request, "core/form.html", context | {"multipart": True}, status=422 if form.errors else 200)


def _reported(request: HttpRequest, form: TicketForm) -> Ticket:
    """The ticket of a valid form, reported now, or before when the very form was sent twice."""
    ticket, upload = form.save(commit=False), form.cleaned_data["upload"]
    ticket.token = form.cleaned_data["token"]
    ticket.username, ticket.name = request.clerk.username, request.clerk.name
    if upload:
        ticket.file_name, ticket.file = upload.name[:200], upload.read()
    try:
        with transaction.atomic():
            ticket.report()
            activity.record(request, "bejelentés", ticket.number)
    except IntegrityError:
        earlier = Ticket.objects.filter(token=ticket.token).first()
        if earlier is None:
            raise
        return earlier
    return ticket


@require_GET
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _ticket(request, pk))


def _page(request: HttpRequest, shown: Ticket, form=None, status: int = 200) -> HttpResponse:
    support = has(request, SUPPORT)
    if form is None:
        form = StepForm(initial={"state": shown.state}) if support else MessageForm()
    context = {
        "ticket": shown,
        "service": _name(shown.service),
        "clock": shown.clock(allowances()),
        "steps": shown.steps.all(),
        "form": form,
        "support": support,
        "open": shown.state != Ticket.State.CLOSED,
    }
    return render(request, "helpdesk/ticket.html", context, status=status)


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """A word of the reporter: a ticket that waited for it, or that was thought solved, goes on."""
    shown, form = _ticket(request, pk), MessageForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, form, 422)
    waits = shown.state in (Ticket.State.WAITING, Ticket.State.SOLVED)
    _step(request, shown, Ticket.State.WORKING if waits else shown.state, form.cleaned_data["text"])
    messages.success(request, "Az üzenetet elküldtük.")
    return redirect("helpdesk:ticket", pk=pk)


@needs(SUPPORT)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = _ticket(request, pk), StepForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, form, 422)
    _step(request, shown, form.cleaned_data["state"], form.cleaned_data["text"])
    messages.success(request, "A bejelentést frissítettük.")
    return redirect("helpdesk:ticket", pk=pk)


def _step(request: HttpRequest, shown: Ticket, state: str, text: str) -> None:
    with transaction.atomic():
        locked = Ticket.objects.select_for_update().defer("file").get(pk=shown.pk)
        if locked.state == Ticket.State.CLOSED:
            raise Http404
        ended = state in (Ticket.State.SOLVED, Ticket.State.CLOSED)
        locked.solved_at = (locked.solved_at or timezone.now()) if ended else None
        locked.state = state
        locked.save(update_fields=["state", "solved_at"])
        Step.objects.create(ticket=locked, state=state, name=request.clerk.name, text=text)
        activity.record(request, "bejelentés kezelése", locked.number)


@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _ticket(request, pk)
    if not shown.file_name:
        raise Http404
    return download(bytes(shown.file), shown.file_name, "application/octet-stream")
