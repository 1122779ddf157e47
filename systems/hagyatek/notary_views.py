"""How an inventory leaves (PDF, handover, closing), and the notaries with their areas."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.access import needs
from systems.core.documents import download
from systems.hagyatek import handing, inventory
from systems.hagyatek.forms import AreaForm, CloseForm, HandoverForm, NotaryForm
from systems.hagyatek.models import Area, Estate, Handover, Notary
from systems.hagyatek.views import CLERK, SUPERVISOR, form_page, perform
from systems.shell import activity


def _name(estate: Estate) -> str:
    return f"hagyateki-leltar-{estate.number.replace('/', '-')}"


@needs(CLERK)
@require_GET
def printable(request: HttpRequest, pk: int) -> HttpResponse:
    """The inventory as it stands; each download is logged."""
    estate = get_object_or_404(Estate, pk=pk)
    activity.record(request, "hagyatéki leltár letöltése", estate.number)
    return inventory.pdf(estate).response(_name(estate))


@needs(CLERK)
@require_GET
def package(request: HttpRequest, pk: int) -> HttpResponse:
    """The package that was handed over; each download is logged."""
    handover = get_object_or_404(Handover.objects.select_related("estate"), estate=pk)
    activity.record(request, "hagyatéki csomag letöltése", handover.estate.number)
    return download(bytes(handover.package), f"{_name(handover.estate)}.zip", "application/zip")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    estate = get_object_or_404(Estate, pk=pk)
    likely = handing.competent(estate)
    form = HandoverForm(request.POST or None, initial={"notary": likely.first()})

    def work() -> None:
        handing.hand_over(pk, handing.HandoverTerms(**form.cleaned_data), request.clerk.name)
        activity.record(request, "hagyatéki leltár átadása", estate.number)

    if perform(form, work):
        messages.success(request, "A leltárt átadtuk a közjegyzőnek, és zároltuk.")
        return redirect("hagyatek:estate", pk=pk)
    names = ", ".join(str(notary) for notary in likely) or "nincs ilyen a nyilvántartásban"
    lead = f"Illetékes közjegyző: {names}. Az átadás után a leltár nem módosítható."
    back = reverse("hagyatek:estate", args=[pk])
    return form_page(request, form, f"Átadás a közjegyzőnek: {estate.number}", back, lead=lead, submit="Átadás")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, pk: int) -> HttpResponse:
    estate, form = get_object_or_404(Estate, pk=pk), CloseForm(request.POST or None)

    def work() -> None:
        handing.close(pk, request.clerk.name, form.cleaned_data["reason"])
        activity.record(request, "hagyatéki leltár lezárása átadás nélkül", estate.number)

    if perform(form, work):
        return redirect("hagyatek:estate", pk=pk)
    lead = "Ha az ügy másik jegyzőre tartozik, vagy nincs szükség leltárra. A lezárt leltár nem módosítható."
    back = reverse("hagyatek:estate", args=[pk])
    return form_page(request, form, f"Lezárás átadás nélkül: {estate.number}", back, lead=lead, submit="Lezárás")


@needs(CLERK, SUPERVISOR)
@require_GET
def notaries(request: HttpRequest) -> HttpResponse:
    return render(request, "hagyatek/notaries.html", {"notaries": Notary.objects.prefetch_related("areas")})


@needs(CLERK, SUPERVISOR)
@require_http_methods(["GET", "POST"])
def notary(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new notary, or new data of one."""
    current = get_object_or_404(Notary, pk=pk) if pk else None
    form = NotaryForm(request.POST or None, instance=current, initial={"active": True})
    if form.is_valid():
        with transaction.atomic():
            saved_notary = form.save()
            activity.record(request, "közjegyző adatai", saved_notary.name)
        return redirect("hagyatek:notaries")
    return form_page(request, form, str(current) if current else "Új közjegyző", reverse("hagyatek:notaries"))


@needs(CLERK, SUPERVISOR)
@require_http_methods(["GET", "POST"])
def new_area(request: HttpRequest, pk: int) -> HttpResponse:
    notary, form = get_object_or_404(Notary, pk=pk), AreaForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        key = {name: data[name] for name in ("settlement", "first_month")}
        notary.areas.update_or_create(**key, defaults={"last_month": data["last_month"]})
        activity.record(request, "közjegyző illetékessége", notary.name)

    if perform(form, work):
        return redirect("hagyatek:notaries")
    return form_page(request, form, f"Illetékességi terület: {notary}", reverse("hagyatek:notaries"))


@needs(CLERK, SUPERVISOR)
@require_POST
def drop_area(request: HttpRequest, pk: int) -> HttpResponse:
    area = get_object_or_404(Area.objects.select_related("notary"), pk=pk)
    with transaction.atomic():
        area.delete()
        activity.record(request, "közjegyző illetékességének törlése", area.notary.name)
    return redirect("hagyatek:notaries")
