"""Estates: the work list with deadlines, an inventory's data and parts, and a list of deadlines without names."""

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
from systems.core.errors import NotPossible
from systems.core.texts import fold
from systems.hagyatek import handing, totals
from systems.hagyatek.completeness import findings
from systems.hagyatek.forms import AssetForm, DebtForm, EstateForm, HeirForm, MissingForm, NewEstateForm
from systems.hagyatek.inventory import deceased
from systems.hagyatek.models import Asset, Debt, Estate, Heir, Parameter
from systems.shell import activity

CLERK = "ugyintezo"  # the only role that sees names and amounts
SUPERVISOR = "felugyelo"
PAGE = 25
STATES = Estate.State
# Word in addresses → model, form, Hungarian name.
PARTS = {
    "orokos": (Heir, HeirForm, "örökös"),
    "vagyon": (Asset, AssetForm, "vagyontárgy"),
    "teher": (Debt, DebtForm, "teher"),
}


def form_page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: object) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, **more}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


def perform(form: forms.Form, work: Callable[[], None]) -> bool:
    """Do the work of a valid form, whole or not at all; a refusal becomes an error of the form."""
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
    """Estates in a state, the first due on top. Those who may not see names get the deadlines."""
    if not has(request, CLERK):
        return redirect("hagyatek:deadlines")
    state, query = request.GET.get("allapot", STATES.OPEN), request.GET.get("q", "").strip()[:100]
    state = state if state in STATES.values else STATES.OPEN
    estates = Estate.objects.filter(state=state)
    for word in fold(query).split():
        estates = estates.filter(search_text__contains=word)
    if request.GET.get("lejart") == "1":
        estates = estates.filter(due__lt=timezone.localdate())
    page = Paginator(estates if state == STATES.OPEN else estates.order_by("-closed_at"), PAGE)
    context = {"page": page.get_page(request.GET.get("oldal")), "state": state, "states": STATES.choices}
    context |= {"query": query, "overdue": request.GET.get("lejart") == "1"}
    return render(request, "hagyatek/index.html", context)


@needs(CLERK, SUPERVISOR)
@require_GET
def deadlines(request: HttpRequest) -> HttpResponse:
    """Numbers and days of open estates, and counts, without names: for supervisors."""
    today, open_estates = timezone.localdate(), Estate.objects.filter(state=STATES.OPEN)
    labels = dict(STATES.choices)
    states = Estate.objects.order_by("state").values_list("state").annotate(n=Count("id"))
    page = Paginator(open_estates.only("number", "received_on", "due", "state"), PAGE)
    context = {
        "page": page.get_page(request.GET.get("oldal")),
        "states": [(labels[state], n) for state, n in states],
        "overdue": open_estates.filter(due__lt=today).count(),
        "limit": Parameter.objects.get(pk="handover_days"),
    }
    return render(request, "hagyatek/deadlines.html", context)


@needs(CLERK)
@require_GET
def estate(request: HttpRequest, pk: int) -> HttpResponse:
    estate = get_object_or_404(Estate, pk=pk)
    remarks = findings(estate) if estate.state == STATES.OPEN else []
    context = {
        "estate": estate,
        "open": estate.state == STATES.OPEN,
        "deceased": [(label, value) for label, value in deceased(estate) if value],
        "heirs": estate.heirs.all(),
        "assets": estate.assets.all(),
        "debts": estate.debts.all(),
        "totals": totals.compute(estate.assets.all(), estate.debts.all()),
        "findings": remarks,
        "blocked": any(finding.blocking for finding in remarks),
    }
    return render(request, "hagyatek/estate.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """An estate reported on paper or in person; a form sent twice begins one."""
    form = NewEstateForm(request.POST or None)
    if form.is_valid():
        try:
            with transaction.atomic():
                estate = handing.begin(**form.cleaned_data)
                activity.record(request, "hagyatéki leltár megkezdése", estate.number)
        except IntegrityError:
            estate = Estate.objects.filter(token=form.cleaned_data["token"]).first()
            if estate is None:
                raise
        return redirect("hagyatek:estate", pk=estate.pk)
    return form_page(request, form, "Új hagyatéki leltár", reverse("hagyatek:index"))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    estate = get_object_or_404(Estate, pk=pk)
    form = EstateForm(request.POST or None, instance=estate)

    def work() -> None:
        handing.change(pk, form.cleaned_data)
        activity.record(request, "hagyatéki leltár adatai", form.cleaned_data["number"])

    if perform(form, work):
        return redirect("hagyatek:estate", pk=pk)
    return form_page(request, form, "Az örökhagyó adatai", reverse("hagyatek:estate", args=[pk]))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    estate, form = get_object_or_404(Estate, pk=pk), MissingForm(request.POST or None)

    def work() -> None:
        handing.ask_for(pk, form.cleaned_data["missing"])
        activity.record(request, "hiánypótlás kérése", estate.number)

    if perform(form, work):
        messages.success(request, "A hiánypótlási felhívást rögzítettük.")
        return redirect("hagyatek:estate", pk=pk)
    lead = "Aki elektronikusan nyilatkozott, az ügyénél látja; másnak levélben kell megírni."
    back = reverse("hagyatek:estate", args=[pk])
    return form_page(request, form, f"Hiánypótlás kérése: {estate.number}", back, lead=lead, submit="Felhívás")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def part(request: HttpRequest, pk: int, what: str, row: int | None = None) -> HttpResponse:
    """A new heir, asset or debt (saved once even if sent twice), or a changed one."""
    owner, (model, form_class, name) = get_object_or_404(Estate, pk=pk), _part_kind(what)
    item = get_object_or_404(model, pk=row, estate=owner) if row else model(estate=owner)
    form = form_class(request.POST or None, instance=item, initial={"token": item.token} if row else None)

    def work() -> None:
        part = form.save(commit=False)
        part.token = form.cleaned_data["token"] if row is None else item.token
        if handing.save_part(part):
            activity.record(request, f"{name} {'módosítása' if row else 'felvétele'}", owner.number)

    if perform(form, work):
        return redirect("hagyatek:estate", pk=pk)
    title = f"{name.capitalize()} módosítása" if row else f"Új {name}"
    return form_page(request, form, title, reverse("hagyatek:estate", args=[pk]))


@needs(CLERK)
@require_POST
def take_out(request: HttpRequest, pk: int, what: str, row: int) -> HttpResponse:
    model, _, name = _part_kind(what)
    item = get_object_or_404(model.objects.select_related("estate"), pk=row, estate=pk)
    try:
        with transaction.atomic():
            handing.take_out(item)
            activity.record(request, f"{name} törlése", item.estate.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "Töröltük.")
    return redirect("hagyatek:estate", pk=pk)


def _part_kind(what: str) -> tuple:
    if what not in PARTS:
        raise Http404
    return PARTS[what]
