"""Notifications: the open ones, completing and deciding them."""

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
from systems.core.errors import NotPossible
from systems.iparker import registering
from systems.iparker.completeness import findings, kind_of
from systems.iparker.forms import MissingForm, NotificationForm, PaperForm, ReasonForm
from systems.iparker.models import TRADE, Notification
from systems.iparker.papers import labels_and_values
from systems.shell import activity

CLERK = "ugyintezo"
PAGE = 25
STATES = Notification.State


def form_page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: object) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, **more}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Notifications waiting for a decision, oldest first; or those in another state, newest first."""
    state = request.GET.get("allapot", STATES.OPEN)
    state = state if state in STATES.values else STATES.OPEN
    notifications = Notification.objects.filter(state=state)
    page = Paginator(notifications if state == STATES.OPEN else notifications.order_by("-decided_at"), PAGE)
    context = {"page": page.get_page(request.GET.get("oldal")), "state": state, "states": STATES.choices}
    return render(request, "iparker/index.html", context)


@require_GET
def notification(request: HttpRequest, pk: int) -> HttpResponse:
    return _notification(request, get_object_or_404(Notification, pk=pk), ReasonForm(), MissingForm())


def _notification(
    request, notification: Notification, reject: forms.Form, ask: forms.Form, status: int = 200
) -> HttpResponse:
    remarks = findings(notification) if notification.state == STATES.OPEN else []
    context = {
        "notification": notification,
        "rows": labels_and_values({name: _iso(getattr(notification, name)) for name in TRADE}),
        "kind": kind_of(notification.products),
        "findings": remarks,
        "blocked": any(finding.blocking for finding in remarks),
        "reject_form": reject,
        "ask_form": ask,
    }
    return render(request, "iparker/notification.html", context, status=status)


def _iso(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A notification on paper; saved once even if sent twice."""
    form = PaperForm(request.POST or None)
    if form.is_valid():
        with transaction.atomic():
            values = {name: value for name, value in form.cleaned_data.items() if name != "token"}
            notification, is_new = Notification.objects.get_or_create(token=form.cleaned_data["token"], defaults=values)
            if is_new:
                activity.record(request, "bejelentés rögzítése", notification.number)
        return redirect("iparker:notification", pk=notification.pk)
    return form_page(request, form, "Papíron érkezett bejelentés", reverse("iparker:index"))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Complete or correct a notification that is not decided yet."""
    notification = get_object_or_404(Notification, pk=pk)
    if notification.state != STATES.OPEN:
        messages.error(request, "Az elbírált bejelentés nem módosítható.")
        return redirect("iparker:notification", pk=pk)
    form = NotificationForm(request.POST or None, instance=notification)
    if form.is_valid():

        def work() -> None:
            registering.complete(pk, {name: form.cleaned_data[name] for name in TRADE})
            activity.record(request, "bejelentés adatainak kiegészítése", notification.number)

        _try(request, work, "Az adatokat mentettük.")
        return redirect("iparker:notification", pk=pk)
    return form_page(request, form, "A bejelentés adatai", reverse("iparker:notification", args=[pk]))


@needs(CLERK)
@require_POST
def register(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Notification, pk=pk)
    entries = []

    def work() -> None:
        entries.append(registering.register(pk, request.clerk.name))
        activity.record(request, "nyilvántartásba vétel", entries[0].number)

    if _try(request, work, "A tevékenységet nyilvántartásba vettük."):
        return redirect("iparker:entry", pk=entries[0].pk)
    return redirect("iparker:notification", pk=pk)


@needs(CLERK)
@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    notification, form = get_object_or_404(Notification, pk=pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _notification(request, notification, form, MissingForm(), 422)

    def work() -> None:
        registering.reject(pk, request.clerk.name, form.cleaned_data["reason"])
        activity.record(request, "bejelentés elutasítása", notification.number)

    _try(request, work, "A bejelentést elutasítottuk.")
    return redirect("iparker:notification", pk=pk)


@needs(CLERK)
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    notification, form = get_object_or_404(Notification, pk=pk), MissingForm(request.POST)
    if not form.is_valid():
        return _notification(request, notification, ReasonForm(), form, 422)

    def work() -> None:
        registering.ask_for(pk, form.cleaned_data["missing"])
        activity.record(request, "hiánypótlás kérése", notification.number)

    _try(request, work, "A hiánypótlási felhívást rögzítettük.")
    return redirect("iparker:notification", pk=pk)


def _try(request: HttpRequest, work: Callable[[], None], message: str) -> bool:
    """Do the work, whole or not at all, and show the clerk the result."""
    try:
        with transaction.atomic():
            work()
    except NotPossible as fault:
        messages.error(request, str(fault))
        return False
    messages.success(request, message)
    return True
