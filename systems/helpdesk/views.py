"""Reporting, following and answering tickets, and upcoming maintenance."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core import uploads
from systems.core.access import has, needs
from systems.core.documents import download
from systems.core.maintenance import upcoming
from systems.helpdesk.forms import MessageForm, StepForm, TicketForm
from systems.helpdesk.models import Step, Ticket, allowances
from systems.shell import activity

SUPPORT = "kezelo"
PAGE = 25


def _visible(request: HttpRequest):
    """Support sees every ticket of the municipality, clerks their own."""
    tickets = Ticket.objects.defer("file")
    return tickets if has(request, SUPPORT) else tickets.filter(username=request.clerk.username)


def _ticket(request: HttpRequest, pk: int) -> Ticket:
    return get_object_or_404(_visible(request), pk=pk)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    tickets = _visible(request).prefetch_related("steps")
    state = request.GET.get("allapot", "")
    if state in Ticket.State:
        tickets = tickets.filter(state=state)
    page = Paginator(tickets, PAGE).get_page(request.GET.get("oldal"))
    limits = allowances()
    rows = [(ticket, _name(ticket.service), ticket.clock(limits)) for ticket in page]
    context = {"page": page, "rows": rows, "state": state, "states": Ticket.State.choices, "upcoming": upcoming()}
    return render(request, "helpdesk/index.html", context)


def _name(system: str) -> str:
    return next((entry.name for entry in settings.ASP.catalogue if entry.id == system), system)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = TicketForm(request.tenant.ksh, request.POST or None, request.FILES or None)
    if form.is_valid():
        ticket = _report(request, form)
        messages.success(request, f"A bejelentést rögzítettük. Hivatkozási száma: {ticket.number}")
        return redirect("helpdesk:ticket", pk=ticket.pk)
    context = {"form": form, "title": "Hiba vagy igény bejelentése", "submit": "Bejelentés", "back": "."}
    return render(request, "core/form.html", context | {"multipart": True}, status=422 if form.errors else 200)


def _report(request: HttpRequest, form: TicketForm) -> Ticket:
    """The ticket of a valid form, reported now, or earlier when the same form was sent twice."""
    ticket, upload = form.save(commit=False), form.cleaned_data["upload"]
    ticket.token = form.cleaned_data["token"]
    ticket.username, ticket.name = request.clerk.username, request.clerk.name
    if upload:
        ticket.file_name, ticket.file = upload.name[:200], uploads.content(upload)
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


def _page(request: HttpRequest, ticket: Ticket, form=None, status: int = 200) -> HttpResponse:
    support = has(request, SUPPORT)
    if form is None:
        form = StepForm(initial={"state": ticket.state}) if support else MessageForm()
    context = {
        "ticket": ticket,
        "service": _name(ticket.service),
        "clock": ticket.clock(allowances()),
        "steps": ticket.steps.all(),
        "form": form,
        "support": support,
        "open": ticket.state != Ticket.State.CLOSED,
    }
    return render(request, "helpdesk/ticket.html", context, status=status)


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """A message from the reporter, which reopens a ticket that waited for it or was thought solved."""
    ticket, form = _ticket(request, pk), MessageForm(request.POST)
    if not form.is_valid():
        return _page(request, ticket, form, 422)
    waits = ticket.state in (Ticket.State.WAITING, Ticket.State.SOLVED)
    _step(request, ticket, Ticket.State.WORKING if waits else ticket.state, form.cleaned_data["text"])
    messages.success(request, "Az üzenetet elküldtük.")
    return redirect("helpdesk:ticket", pk=pk)


@needs(SUPPORT)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, form = _ticket(request, pk), StepForm(request.POST)
    if not form.is_valid():
        return _page(request, ticket, form, 422)
    _step(request, ticket, form.cleaned_data["state"], form.cleaned_data["text"])
    messages.success(request, "A bejelentést frissítettük.")
    return redirect("helpdesk:ticket", pk=pk)


def _step(request: HttpRequest, ticket: Ticket, state: str, text: str) -> None:
    with transaction.atomic():
        current = Ticket.objects.select_for_update().defer("file").get(pk=ticket.pk)
        if current.state == Ticket.State.CLOSED:
            raise Http404
        is_end = state in (Ticket.State.SOLVED, Ticket.State.CLOSED)
        current.solved_at = (current.solved_at or timezone.now()) if is_end else None
        current.state = state
        current.save(update_fields=["state", "solved_at"])
        Step.objects.create(ticket=current, state=state, name=request.clerk.name, text=text)
        activity.record(request, "bejelentés kezelése", current.number)


@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponse:
    ticket = _ticket(request, pk)
    if not ticket.file_name:
        raise Http404
    return download(bytes(ticket.file), ticket.file_name, "application/octet-stream")
