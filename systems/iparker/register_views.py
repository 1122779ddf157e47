"""The register: finding entries, what happens to them, inspections, statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from systems.core.access import needs
from systems.core.charts import bars
from systems.core.texts import fold
from systems.iparker import papers, registering
from systems.iparker.forms import ChangeForm, EntryForm, InspectionForm, SettleForm
from systems.iparker.models import Entry, Inspection, Kind, ProductGroup, Trade
from systems.iparker.registering import NotPossible
from systems.iparker.views import CLERK, PAGE, form_page
from systems.shell import activity

STATES = {
    "mukodik": ("működik", {"until": None, "suspended_since": None}),
    "szunetel": ("szünetel", {"until": None, "suspended_since__isnull": False}),
    "megszunt": ("megszűnt", {"until__isnull": False}),
}
# Address → what it does, its page's title, what is said and recorded when it is done.
STEPS = {
    "szunetel": (registering.suspend, "Szüneteltetés", "tevékenység szüneteltetése"),
    "folytatas": (registering.resume, "Folytatás", "tevékenység folytatása"),
    "megszunes": (registering.end, "Megszűnés", "tevékenység megszűnése"),
}


def _found(request: HttpRequest) -> tuple[QuerySet[Entry], dict[str, str]]:
    """Entries that an address asks for, and what it asked."""
    asked = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "fajta", "allapot")}
    found = Entry.objects.all()
    for word in fold(asked["q"]).split():
        found = found.filter(search_text__contains=word)
    if asked["fajta"] in Kind.values:
        found = found.filter(kind=asked["fajta"])
    if asked["allapot"] in STATES:
        found = found.filter(**STATES[asked["allapot"]][1])
    return found, asked


@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    found, asked = _found(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("oldal"))
    states = [(code, label) for code, (label, _) in STATES.items()]
    context = {"page": page, "asked": asked, "kinds": Kind.choices, "states": states}
    return render(request, "iparker/entries.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """What was found, as XLSX."""
    return papers.register_sheet(_found(request)[0])


@require_GET
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Entry.objects.select_related("notification"), pk=pk)
    context = {
        "entry": shown,
        "rows": papers.labelled(shown.trade()),
        "history": papers.history(shown),
        "inspections": shown.inspections.all(),
    }
    return render(request, "iparker/entry.html", context)


@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Entry, pk=pk)
    return papers.certificate(shown).response(f"kereskedelmi-{shown.number.replace('/', '-')}")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """New hours, products, names."""
    shown = get_object_or_404(Entry, pk=pk)
    form = EntryForm(request.POST or None, instance=shown)

    def work() -> None:
        day, reason = form.cleaned_data["day"], form.cleaned_data["reason"]
        registering.change(pk, form.trade(), day, reason, request.clerk.name)
        activity.record(request, "bejegyzés adatváltozása", shown.number)

    return _step(request, form, work, f"Adatváltozás: {shown.number}", pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Pausing, going on, ending."""
    if what not in STEPS:
        raise Http404
    shown, form = get_object_or_404(Entry, pk=pk), ChangeForm(request.POST or None)
    act, title, said = STEPS[what]

    def work() -> None:
        act(pk, form.cleaned_data["day"], form.cleaned_data["reason"], request.clerk.name)
        activity.record(request, said, shown.number)

    lead = "A megszűnt bejegyzés többé nem módosítható." if what == "megszunes" else ""
    return _step(request, form, work, f"{title}: {shown.number}", pk, lead=lead)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_inspection(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found at a site; sent twice it is kept once."""
    shown, form = get_object_or_404(Entry, pk=pk), InspectionForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        values = {name: data[name] for name in ("day", "finding", "deadline")}
        values |= {"entry": shown, "recorded_by": request.clerk.name}
        _, fresh = Inspection.objects.get_or_create(token=data["token"], defaults=values)
        if fresh:
            activity.record(request, "ellenőrzés rögzítése", shown.number)

    return _step(request, form, work, f"Ellenőrzés: {shown.number}", pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """What was wrong has been put right, or what came of it."""
    shown = get_object_or_404(Inspection.objects.select_related("entry"), pk=pk)
    form = SettleForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        if data["settled_on"] < shown.day:
            raise NotPossible("A lezárás napja nem lehet korábbi az ellenőrzés napjánál.")
        if not Inspection.objects.filter(pk=pk, settled_on=None).update(**data):
            raise NotPossible("Ez az ellenőrzés már le van zárva.")
        activity.record(request, "ellenőrzés lezárása", shown.entry.number)

    return _step(request, form, work, f"Ellenőrzés lezárása: {shown.entry.number}", shown.entry_id)


def _step(
    request: HttpRequest, form: forms.Form, work: Callable[[], None], title: str, pk: int, lead: str = ""
) -> HttpResponse:
    """The form of one step; what the register refuses becomes an error of it."""
    if form.is_valid():
        try:
            with transaction.atomic():
                work()
        except NotPossible as fault:
            form.add_error(None, str(fault))
        else:
            messages.success(request, "Rögzítettük.")
            return redirect("iparker:entry", pk=pk)
    return form_page(request, form, title, reverse("iparker:entry", args=[pk]), lead=lead)


@require_GET
def inspections(request: HttpRequest) -> HttpResponse:
    """Those with a deadline still to be met come first, the earliest on top."""
    waiting = Inspection.objects.filter(settled_on=None, deadline__isnull=False).select_related("entry")
    rest = Inspection.objects.exclude(pk__in=waiting).select_related("entry")
    page = Paginator(rest, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "iparker/inspections.html", {"waiting": waiting.order_by("deadline", "id"), "page": page})


@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """The living register by kind, form and goods; this year's entries and endings by month."""
    living, year = Entry.objects.filter(until=None), timezone.localdate().year
    kinds, ways = dict(Kind.choices), dict(Trade.Form.choices)
    goods = Counter(code for codes in living.values_list("products", flat=True) for code in codes)
    begun = dict(_counted(Entry.objects.filter(year=year), "registered_on__month"))
    context = {
        "year": year,
        "living": living.count(),
        "ended": Entry.objects.filter(until__year=year).count(),
        "kinds": bars((kinds[kind], n) for kind, n in _counted(living, "kind")),
        "ways": bars((ways[way], n) for way, n in _counted(living, "form")),
        "goods": bars((group.name, goods[group.code]) for group in ProductGroup.objects.all() if goods[group.code]),
        "months": bars((f"{month}. hó", begun.get(month, 0)) for month in range(1, timezone.localdate().month + 1)),
    }
    return render(request, "iparker/statistics.html", context)


def _counted(found: QuerySet, name: str) -> QuerySet:
    return found.order_by(name).values_list(name).annotate(n=Count("id"))
