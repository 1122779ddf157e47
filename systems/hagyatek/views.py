"""Estates: the work list with its deadlines, an inventory's data and parts, and the page that names nobody."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.access import has, needs
from systems.core.texts import fold
from systems.hagyatek import handing, totals
from systems.hagyatek.completeness import findings
from systems.hagyatek.forms import AssetForm, DebtForm, EstateForm, HeirForm, MissingForm, NewEstateForm
from systems.hagyatek.handing import NotPossible
from systems.hagyatek.inventory import deceased
from systems.hagyatek.models import Asset, Debt, Estate, Heir, Parameter
from systems.shell import activity

CLERK = "ugyintezo"  # the only role that sees names and amounts
SUPERVISOR = "felugyelo"
PAGE = 25
STATES = Estate.State
# Word in addresses → what it is, its form, how it is called.
PARTS = {
    "orokos": (Heir, HeirForm, "örökös"),
    "vagyon": (Asset, AssetForm, "vagyontárgy"),
    "teher": (Debt, DebtForm, "teher"),
}


def form_page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: object) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, **more}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


def stepping(form: forms.Form, work: Callable[[], None]) -> bool:
    """Do what a form asks for, whole or not at all; what the estate refuses becomes an error of the form."""
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            work()
    except NotPossible as fault:
        form.add_error(None, str(fault))
        return False
    return True


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Estates of a state, those that are due first on top. Who does not see names sees the deadlines."""
    if not has(request, CLERK):
        return redirect("hagyatek:deadlines")
    state, query = request.GET.get("allapot", STATES.OPEN), request.GET.get("q", "").strip()[:100]
    state = state if state in STATES.values else STATES.OPEN
    found = Estate.objects.filter(state=state)
    for word in fold(query).split():
        found = found.filter(search_text__contains=word)
    if request.GET.get("lejart") == "1":
        found = found.filter(due__lt=timezone.localdate())
    page = Paginator(found if state == STATES.OPEN else found.order_by("-closed_at"), PAGE)
    context = {"page": page.get_page(request.GET.get("oldal")), "state": state, "states": STATES.choices}
    context |= {"query": query, "overdue": request.GET.get("lejart") == "1"}
    return render(request, "hagyatek/index.html", context)


@needs(CLERK, SUPERVISOR)
@require_GET
def deadlines(request: HttpRequest) -> HttpResponse:
    """Numbers and days of open estates, and counts: for whoever watches over deadlines, without names."""
    today, waiting = timezone.localdate(), Estate.objects.filter(state=STATES.OPEN)
    labels = dict(STATES.choices)
    states = Estate.objects.order_by("state").values_list("state").annotate(n=Count("id"))
    page = Paginator(waiting.only("number", "received_on", "due", "state"), PAGE)
    context = {
        "page": page.get_page(request.GET.get("oldal")),
        "states": [(labels[state], n) for state, n in states],
        "overdue": waiting.filter(due__lt=today).count(),
        "allowed": Parameter.objects.get(pk="handover_days"),
    }
    return render(request, "hagyatek/deadlines.html", context)


@needs(CLERK)
@require_GET
def estate(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Estate, pk=pk)
    found = findings(shown) if shown.state == STATES.OPEN else []
    context = {
        "estate": shown,
        "open": shown.state == STATES.OPEN,
        "deceased": [(label, value) for label, value in deceased(shown) if value],
        "heirs": shown.heirs.all(),
        "assets": shown.assets.all(),
        "debts": shown.debts.all(),
        "totals": totals.of(shown.assets.all(), shown.debts.all()),
        "findings": found,
        "blocked": any(finding.blocking for finding in found),
    }
    return render(request, "hagyatek/estate.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """An estate told of on paper or by word; sent twice it is begun once."""
    form = NewEstateForm(request.POST or None)
    if form.is_valid():
        try:
            with transaction.atomic():
                made = handing.begin(**form.cleaned_data)
                activity.record(request, "hagyatéki leltár megkezdése", made.number)
        except IntegrityError:
            made = Estate.objects.filter(token=form.cleaned_data["token"]).first()
            if made is None:
                raise
        return redirect("hagyatek:estate", pk=made.pk)
    return form_page(request, form, "Új hagyatéki leltár", reverse("hagyatek:index"))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Estate, pk=pk)
    form = EstateForm(request.POST or None, instance=shown)

    def work() -> None:
        handing.change(pk, form.cleaned_data)
        activity.record(request, "hagyatéki leltár adatai", form.cleaned_data["number"])

    if stepping(form, work):
        return redirect("hagyatek:estate", pk=pk)
    return form_page(request, form, "Az örökhagyó adatai", reverse("hagyatek:estate", args=[pk]))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = get_object_or_404(Estate, pk=pk), MissingForm(request.POST or None)

    def work() -> None:
        handing.ask(pk, form.cleaned_data["missing"])
        activity.record(request, "hiánypótlás kérése", shown.number)

    if stepping(form, work):
        messages.success(request, "A hiánypótlási felhívást rögzítettük.")
        return redirect("hagyatek:estate", pk=pk)
    lead = "Aki elektronikusan nyilatkozott, az ügyénél látja; másnak levélben kell megírni."
    back = reverse("hagyatek:estate", args=[pk])
    return form_page(request, form, f"Hiánypótlás kérése: {shown.number}", back, lead=lead, submit="Felhívás")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def part(request: HttpRequest, pk: int, what: str, row: int | None = None) -> HttpResponse:
    """A new heir, asset or debt (sent twice it is kept once), or a changed one."""
    owner, (model, form_class, name) = get_object_or_404(Estate, pk=pk), _known(what)
    kept = get_object_or_404(model, pk=row, estate=owner) if row else model(estate=owner)
    form = form_class(request.POST or None, instance=kept, initial={"token": kept.token} if row else None)

    def work() -> None:
        made = form.save(commit=False)
        made.token = form.cleaned_data["token"] if row is None else kept.token
        if handing.put(made):
            activity.record(request, f"{name} {'módosítása' if row else 'felvétele'}", owner.number)

    if stepping(form, work):
        return redirect("hagyatek:estate", pk=pk)
    title = f"{name.capitalize()} módosítása" if row else f"Új {name}"
    return form_page(request, form, title, reverse("hagyatek:estate", args=[pk]))


@needs(CLERK)
@require_POST
def take_out(request: HttpRequest, pk: int, what: str, row: int) -> HttpResponse:
    model, _, name = _known(what)
    kept = get_object_or_404(model.objects.select_related("estate"), pk=row, estate=pk)
    try:
        with transaction.atomic():
            handing.take_out(kept)
            activity.record(request, f"{name} törlése", kept.estate.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "Töröltük.")
    return redirect("hagyatek:estate", pk=pk)


def _known(what: str) -> tuple:
    if what not in PARTS:
        raise Http404
    return PARTS[what]
