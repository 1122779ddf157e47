"""Pages that change the register: new parcels, changed data, merging, splitting, removal."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from systems.core.access import needs
from systems.core.errors import NotPossible
from systems.ivk import registering
from systems.ivk.forms import Change, MergeForm, NewParcelForm, ParcelForm, PartSet
from systems.ivk.models import Parcel
from systems.ivk.registering import DATA, SUMMED
from systems.shell import activity

CLERK = "ugyintezo"


def _perform(form: forms.Form, work: Callable[[], Parcel]) -> Parcel | None:
    """Do the work and return the parcel to show next; a refusal becomes an error of the form."""
    try:
        with transaction.atomic():
            return work()
    except NotPossible as fault:
        form.add_error(None, str(fault))
        return None


def _page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: object) -> HttpResponse:
    template = "ivk/split.html" if "parts" in more else "core/form.html"
    wrong = form.is_bound and bool(form.errors or ("parts" in more and not more["parts"].is_valid()))
    context = {"form": form, "title": title, "back": back, **more}
    return render(request, template, context, status=422 if wrong else 200)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = NewParcelForm(request.POST or None)

    def work() -> Parcel:
        data = form.cleaned_data
        parcel = Parcel(**form.values(), since=data["day"], token=data["token"])
        added_parcel = registering.add(parcel, data["reason"], request.clerk.name)
        activity.record(request, "ingatlan felvétele", added_parcel.lot)
        return added_parcel

    if form.is_valid() and (result := _perform(form, work)):
        messages.success(request, "Az ingatlant felvettük.")
        return redirect("ivk:parcel", pk=result.pk)
    return _page(request, form, "Új ingatlan", reverse("ivk:index"))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    original = get_object_or_404(Parcel, pk=pk)
    before = {name: getattr(original, name) for name in DATA}
    form = ParcelForm(request.POST or None, instance=original)

    def work() -> Parcel:
        data = form.cleaned_data
        values = {name: value for name, value in form.values().items() if value != before[name]}
        if not values:
            raise NotPossible("Semmi nem változott.")
        parcel = registering.change(pk, values, data["day"], data["reason"], request.clerk.name)
        activity.record(request, "ingatlan adatváltozása", parcel.lot)
        return parcel

    if form.is_valid() and _perform(form, work):
        messages.success(request, "A változást átvezettük.")
        return redirect("ivk:parcel", pk=pk)
    return _page(request, form, f"Adatváltozás: {before['lot']}", reverse("ivk:parcel", args=[pk]))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    parcel, form = get_object_or_404(Parcel, pk=pk), Change(request.POST or None)

    def work() -> Parcel:
        registering.end(pk, form.cleaned_data["day"], form.cleaned_data["reason"], request.clerk.name)
        activity.record(request, "ingatlan kivezetése", parcel.lot)
        return parcel

    if form.is_valid() and _perform(form, work):
        messages.success(request, "Az ingatlant kivezettük.")
        return redirect("ivk:parcel", pk=pk)
    lead = "Az ingatlan adatai és története megmaradnak."
    return _page(request, form, f"Kivezetés: {parcel}", reverse("ivk:parcel", args=[pk]), lead=lead, submit="Kivezetés")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest) -> HttpResponse:
    """Merge parcels into one with the sums of their areas and values."""
    form = MergeForm(request.POST or None)

    def work() -> Parcel:
        data = form.cleaned_data
        parents = data["old"]
        values = {name: getattr(parents[0], name) for name in DATA}
        sums = {name: sum(getattr(parent, name) for parent in parents) for name in SUMMED}
        rights = "; ".join(dict.fromkeys(p.encumbrance for p in parents if p.encumbrance))[:500]
        child = Parcel(**values | sums | {"lot": data["lot"], "encumbrance": rights})
        pks = [parent.pk for parent in parents]
        (merged_parcel,) = registering.replace(pks, [child], data["day"], data["reason"], request.clerk.name)
        activity.record(request, "ingatlanok összevonása", merged_parcel.lot)
        return merged_parcel

    if form.is_valid() and (result := _perform(form, work)):
        messages.success(request, "Az ingatlanokat összevontuk.")
        return redirect("ivk:parcel", pk=result.pk)
    return _page(request, form, "Ingatlanok összevonása", reverse("ivk:index"), submit="Összevonás")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Split a parcel; areas and values of the parts sum up to its own."""
    parcel = get_object_or_404(Parcel, pk=pk)
    form, parts = Change(request.POST or None), PartSet(request.POST or None)

    def work() -> Parcel:
        values = {name: getattr(parcel, name) for name in DATA}
        children = [Parcel(**values | part) for part in parts.cleaned_data if part]
        registering.replace([pk], children, form.cleaned_data["day"], form.cleaned_data["reason"], request.clerk.name)
        activity.record(request, "ingatlan megosztása", parcel.lot)
        return parcel

    if form.is_valid() and parts.is_valid() and _perform(form, work):
        messages.success(request, "Az ingatlant megosztottuk.")
        return redirect("ivk:parcel", pk=pk)
    back = reverse("ivk:parcel", args=[pk])
    return _page(request, form, f"Megosztás: {parcel}", back, parts=parts, parcel=parcel)
