"""Notifications: those that wait, completing them, and deciding."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.access import needs
from systems.iparker import registering
from systems.iparker.completeness import findings, kind_of
from systems.iparker.forms import MissingForm, NotificationForm, PaperForm, ReasonForm
from systems.iparker.models import TRADE, Notification
from systems.iparker.papers import labelled
from systems.iparker.registering import NotPossible
from systems.shell import activity

CLERK = "ugyintezo"
PAGE = 25
STATES = Notification.State


def form_page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: object) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, **more}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Notifications that wait for a decision, oldest first; or those of another state, newest first."""
    state = request.GET.get("allapot", STATES.OPEN)
    state = state if state in STATES.values else STATES.OPEN
    found = Notification.objects.filter(state=state)
    page = Paginator(found if state == STATES.OPEN else found.order_by("-decided_at"), PAGE)
    context = {"page": page.get_page(request.GET.get("oldal")), "state": state, "states": STATES.choices}
    return render(request, "iparker/index.html", context)


@require_GET
def notification(request: HttpRequest, pk: int) -> HttpResponse:
    return _notification(request, get_object_or_404(Notification, pk=pk), ReasonForm(), MissingForm())


def _notification(request, shown: Notification, reject: forms.Form, ask: forms.Form, status: int = 200) -> HttpResponse:
    found = findings(shown) if shown.state == STATES.OPEN else []
    context = {
        "notification": shown,
        "rows": labelled({name: _iso(getattr(shown, name)) for name in TRADE}),
        "kind": kind_of(shown.products),
        "findings": found,
        "blocked": any(finding.blocking for finding in found),
        "reject_form": reject,
        "ask_form": ask,
    }
    return render(request, "iparker/notification.html", context, status=status)


def _iso(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A notification on paper; sent twice it is kept once."""
    form = PaperForm(request.POST or None)
    if form.is_valid():
        with transaction.atomic():
            values = {name: value for name, value in form.cleaned_data.items() if name != "token"}
            made, fresh = Notification.objects.get_or_create(token=form.cleaned_data["token"], defaults=values)
            if fresh:
                activity.record(request, "bejelentés rögzítése", made.number)
        return redirect("iparker:notification", pk=made.pk)
    return form_page(request, form, "Papíron érkezett bejelentés", reverse("iparker:index"))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Complete or correct what was notified, as long as it is not decided."""
    shown = get_object_or_404(Notification, pk=pk)
    if shown.state != STATES.OPEN:
        messages.error(request, "Az elbírált bejelentés nem módosítható.")
        return redirect("iparker:notification", pk=pk)
    form = NotificationForm(request.POST or None, instance=shown)
    if form.is_valid():

        def work() -> None:
            registering.complete(pk, {name: form.cleaned_data[name] for name in TRADE})
            activity.record(request, "bejelentés adatainak kiegészítése", shown.number)

        _try(request, work, "Az adatokat mentettük.")
        return redirect("iparker:notification", pk=pk)
    return form_page(request, form, "A bejelentés adatai", reverse("iparker:notification", args=[pk]))


@needs(CLERK)
@require_POST
def register(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Notification, pk=pk)
    made = []

    def work() -> None:
        made.append(registering.register(pk, request.clerk.name))
        activity.record(request, "nyilvántartásba vétel", made[0].number)

    if _try(request, work, "A tevékenységet nyilvántartásba vettük."):
        return redirect("iparker:entry", pk=made[0].pk)
    return redirect("iparker:notification", pk=pk)


@needs(CLERK)
@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = get_object_or_404(Notification, pk=pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _notification(request, shown, form, MissingForm(), 422)

    def work() -> None:
        registering.reject(pk, request.clerk.name, form.cleaned_data["reason"])
        activity.record(request, "bejelentés elutasítása", shown.number)

    _try(request, work, "A bejelentést elutasítottuk.")
    return redirect("iparker:notification", pk=pk)


@needs(CLERK)
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = get_object_or_404(Notification, pk=pk), MissingForm(request.POST)
    if not form.is_valid():
        return _notification(request, shown, ReasonForm(), form, 422)

    def work() -> None:
        registering.ask(pk, form.cleaned_data["missing"])
        activity.record(request, "hiánypótlás kérése", shown.number)

    _try(request, work, "A hiánypótlási felhívást rögzítettük.")
    return redirect("iparker:notification", pk=pk)


def _try(request: HttpRequest, work: Callable[[], None], done: str) -> bool:
    """Do it whole or not at all, and say which."""
    try:
        with transaction.atomic():
            work()
    except NotPossible as fault:
        messages.error(request, str(fault))
        return False
    messages.success(request, done)
    return True
