"""The register: searching and changing entries, inspections, statistics."""

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
from systems.core.errors import NotPossible
from systems.core.texts import fold
from systems.iparker import papers, registering
from systems.iparker.forms import ChangeForm, EntryForm, InspectionForm, SettleForm
from systems.iparker.models import Entry, Inspection, Kind, ProductGroup, Trade
from systems.iparker.views import CLERK, PAGE, form_page
from systems.shell import activity

STATES = {
    "mukodik": ("működik", {"until": None, "suspended_since": None}),
    "szunetel": ("szünetel", {"until": None, "suspended_since__isnull": False}),
    "megszunt": ("megszűnt", {"until__isnull": False}),
}
# Word in addresses → operation, title of its page, text for the business log.
STEPS = {
    "szunetel": (registering.suspend, "Szüneteltetés", "tevékenység szüneteltetése"),
    "folytatas": (registering.resume, "Folytatás", "tevékenység folytatása"),
    "megszunes": (registering.end, "Megszűnés", "tevékenység megszűnése"),
}


def _search(request: HttpRequest) -> tuple[QuerySet[Entry], dict[str, str]]:
    """Entries that match the filters in the address, and the filters."""
    filters = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "fajta", "allapot")}
    entries = Entry.objects.all()
    for word in fold(filters["q"]).split():
        entries = entries.filter(search_text__contains=word)
    if filters["fajta"] in Kind.values:
        entries = entries.filter(kind=filters["fajta"])
    if filters["allapot"] in STATES:
        entries = entries.filter(**STATES[filters["allapot"]][1])
    return entries, filters


@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    entries, filters = _search(request)
    page = Paginator(entries, PAGE).get_page(request.GET.get("oldal"))
    states = [(code, label) for code, (label, _) in STATES.items()]
    context = {"page": page, "filters": filters, "kinds": Kind.choices, "states": states}
    return render(request, "iparker/entries.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The entries found, as XLSX."""
    return papers.register_sheet(_search(request)[0])


@require_GET
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(Entry.objects.select_related("notification"), pk=pk)
    context = {
        "entry": entry,
        "rows": papers.labels_and_values(entry.trade()),
        "history": papers.history(entry),
        "inspections": entry.inspections.all(),
    }
    return render(request, "iparker/entry.html", context)


@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(Entry, pk=pk)
    return papers.certificate(entry).response(f"kereskedelmi-{entry.number.replace('/', '-')}")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """New hours, products, names."""
    entry = get_object_or_404(Entry, pk=pk)
    form = EntryForm(request.POST or None, instance=entry)

    def work() -> None:
        day, reason = form.cleaned_data["day"], form.cleaned_data["reason"]
        registering.change(pk, form.trade(), day, reason, request.clerk.name)
        activity.record(request, "bejegyzés adatváltozása", entry.number)

    return _step(request, form, work, f"Adatváltozás: {entry.number}", pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Suspend, resume or end a trade."""
    if what not in STEPS:
        raise Http404
    entry, form = get_object_or_404(Entry, pk=pk), ChangeForm(request.POST or None)
    act, title, action = STEPS[what]

    def work() -> None:
        act(pk, form.cleaned_data["day"], form.cleaned_data["reason"], request.clerk.name)
        activity.record(request, action, entry.number)

    lead = "A megszűnt bejegyzés többé nem módosítható." if what == "megszunes" else ""
    return _step(request, form, work, f"{title}: {entry.number}", pk, lead=lead)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_inspection(request: HttpRequest, pk: int) -> HttpResponse:
    """The findings at a site; saved once even if sent twice."""
    entry, form = get_object_or_404(Entry, pk=pk), InspectionForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        values = {name: data[name] for name in ("day", "finding", "deadline")}
        values |= {"entry": entry, "recorded_by": request.clerk.name}
        _, is_new = Inspection.objects.get_or_create(token=data["token"], defaults=values)
        if is_new:
            activity.record(request, "ellenőrzés rögzítése", entry.number)

    return _step(request, form, work, f"Ellenőrzés: {entry.number}", pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an inspection: the fault was corrected, or something else came of it."""
    inspection = get_object_or_404(Inspection.objects.select_related("entry"), pk=pk)
    form = SettleForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        if data["settled_on"] < inspection.day:
            raise NotPossible("A lezárás napja nem lehet korábbi az ellenőrzés napjánál.")
        if not Inspection.objects.filter(pk=pk, settled_on=None).update(**data):
            raise NotPossible("Ez az ellenőrzés már le van zárva.")
        activity.record(request, "ellenőrzés lezárása", inspection.entry.number)

    return _step(request, form, work, f"Ellenőrzés lezárása: {inspection.entry.number}", inspection.entry_id)


def _step(
    request: HttpRequest, form: forms.Form, work: Callable[[], None], title: str, pk: int, lead: str = ""
) -> HttpResponse:
    """The form of one step; a refusal becomes an error of the form."""
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
    """Inspections; those with an open deadline come first, the earliest on top."""
    pending = Inspection.objects.filter(settled_on=None, deadline__isnull=False).select_related("entry")
    others = Inspection.objects.exclude(pk__in=pending).select_related("entry")
    page = Paginator(others, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "iparker/inspections.html", {"pending": pending.order_by("deadline", "id"), "page": page})


@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """Active entries by kind, form and goods; this year's entries by month, and endings."""
    active, year = Entry.objects.filter(until=None), timezone.localdate().year
    kinds, ways = dict(Kind.choices), dict(Trade.Form.choices)
    goods = Counter(code for codes in active.values_list("products", flat=True) for code in codes)
    starts = dict(_count_by(Entry.objects.filter(year=year), "registered_on__month"))
    context = {
        "year": year,
        "active": active.count(),
        "ends": Entry.objects.filter(until__year=year).count(),
        "kinds": bars((kinds[kind], n) for kind, n in _count_by(active, "kind")),
        "ways": bars((ways[way], n) for way, n in _count_by(active, "form")),
        "goods": bars((group.name, goods[group.code]) for group in ProductGroup.objects.all() if goods[group.code]),
        "months": bars((f"{month}. hó", starts.get(month, 0)) for month in range(1, timezone.localdate().month + 1)),
    }
    return render(request, "iparker/statistics.html", context)


def _count_by(rows: QuerySet, name: str) -> QuerySet:
    return rows.order_by(name).values_list(name).annotate(n=Count("id"))
