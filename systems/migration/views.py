"""Uploading a package, reading what the systems found in it, and having it taken over."""

from __future__ import annotations

import hashlib

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core import activity, facts, importing
from systems.core.access import needs
from systems.core.documents import Pdf
from systems.core.forms import FormMixin
from systems.migration import flow, packages
from systems.migration.models import Package

LARGEST = 64 * 2**20  # bytes of a package, unpacked: what a server of 256 MiB can hold
CLERK, APPROVER = "ugyintezo", "jovahagyo"


class UploadForm(FormMixin, forms.Form):
    package = forms.FileField(label="migrációs csomag", help_text="ZIP-fájl manifest.json jegyzékkel.")


def _systems(request: HttpRequest) -> set[str]:
    """Systems that the municipality has and that take over data."""
    return {e.id for e in settings.ASP.catalogue if e.serves(request.tenant.ksh) and importing.imports(e.id)}


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    found = Package.objects.defer("content")[:100]
    context = {"packages": found, "systems": sorted(_systems(request))}
    return render(request, "migration/index.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["package"]
        content = file.read()
        try:
            read = packages.read(content, request.tenant.ksh, _systems(request), LARGEST)
        except packages.PackageFault as fault:
            form.add_error("package", str(fault))
        else:
            package = Package(
                name=file.name[:200],
                sha256=hashlib.sha256(content).hexdigest(),
                content=content,
                uploaded_by=request.clerk.name,
                uploader=request.clerk.username,
            )
            with transaction.atomic():
                flow.begin(package, read)
                activity.record(request, "migrációs csomag feltöltése", package.sha256[:12])
            messages.success(request, "A csomagot átadtuk ellenőrzésre. Az eredmény itt jelenik meg.")
            return redirect("migration:package", pk=package.pk)
    context = {"form": form, "title": "Csomag feltöltése", "submit": "Feltöltés és ellenőrzés", "back": "."}
    lead = "A feltöltés még semmit nem ír a rendszerekbe: előbb minden rendszer ellenőrzi a saját részét."
    return render(
        request, "core/form.html", context | {"lead": lead, "multipart": True}, status=422 if form.errors else 200
    )


@require_GET
def package(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Package.objects.defer("content"), pk=pk)
    names = {entry.id: entry.name for entry in settings.ASP.catalogue}
    parts = [(names.get(part.system, part.system), part) for part in shown.parts.all()]
    return render(request, "migration/package.html", {"package": shown, "parts": parts})


@needs(APPROVER)
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Have it taken over; by somebody else than who uploaded it."""
    shown = get_object_or_404(Package, pk=pk)
    if shown.uploader == request.clerk.username:
        messages.error(request, "Az átvételt másnak kell jóváhagynia, mint aki a csomagot feltöltötte.")
        return redirect("migration:package", pk=pk)
    content = packages.read(bytes(shown.content), request.tenant.ksh, _systems(request), LARGEST)
    try:
        with transaction.atomic():
            begun = flow.apply(shown, content, request.clerk.name)
            if begun:
                activity.record(request, "migrációs csomag átvétele", shown.sha256[:12])
    except IntegrityError:
        messages.error(request, "Ezt a csomagot már egyszer átvették.")
    else:
        if begun:
            messages.success(request, "Az átvétel megkezdődött.")
        else:
            messages.error(request, "A csomag most nem vehető át.")
    return redirect("migration:package", pk=pk)


@require_GET
def minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """The minutes (jegyzőkönyv) of the taking over as PDF."""
    shown = get_object_or_404(Package.objects.defer("content"), pk=pk)
    pdf = Pdf("Jegyzőkönyv a korábbi adatok átvételéről", facts.of_tenant().name).pairs(
        [
            ("Csomag", shown.name),
            ("Ellenőrző összeg (SHA-256)", shown.sha256),
            ("Állapot", shown.get_state_display()),
            ("Feltöltötte", f"{shown.uploaded_by}, {timezone.localtime(shown.uploaded_at):%Y. %m. %d. %H:%M}"),
            ("Jóváhagyta", shown.applied_by),
            ("Az átvétel kezdete", shown.applied_at),
        ]
    )
    for part in shown.parts.all():
        report = part.report or {"rows": {}, "totals": {}, "faults_count": None}
        pdf.section(f"{part.system}: {'átvéve' if part.applied else 'nincs átvéve'}")
        pdf.table(["Fájl", "Sorok"], list(report["rows"].items()), (3, 1))
        if report["totals"]:
            pdf.table(["Egyenleg", "Összeg"], list(report["totals"].items()), (3, 1))
        for fault in part.balance_faults:
            pdf.paragraph(f"Egyenlegeltérés: {fault}")
    pdf.section("Aláírások").paragraph("\n\n............................................\nátadó\n\n\n"
                                       "............................................\nátvevő")  # fmt: skip
    return pdf.response(f"migracio-jegyzokonyv-{shown.pk}")
