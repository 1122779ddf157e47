"""Uploading a package, reading the systems' reports on it, and importing it."""

from __future__ import annotations

import hashlib

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core import facts, sheets, uploads
from systems.core.access import needs
from systems.core.forms import FormMixin
from systems.core.pdf import Pdf
from systems.core.room import ROOM
from systems.core.templatetags.asp import system_name
from systems.migration import flow, packages
from systems.migration.models import Package
from systems.shared.bodies import MIB, PACKAGE
from systems.shell import activity

ON_PAGE, ON_PAPER = 1000, 50  # faults of one system that are shown; the download has all that are in its report
FAULT_HEAD = ["Fájl", "Sor", "Oszlop", "Ez áll benne", "Ez kellene"]
CLERK, APPROVER = "ugyintezo", "jovahagyo"


class UploadForm(FormMixin, forms.Form):
    package = forms.FileField(
        label="migrációs csomag",
        help_text=f"ZIP-fájl manifest.json jegyzékkel, kibontva is legfeljebb {PACKAGE // MIB} MB, "
        f"rendszerenként legfeljebb {packages.PART // MIB} MB.",
    )


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    uploads = Package.objects.defer("content")[:100]
    context = {"packages": uploads, "systems": sorted(map(system_name, flow.importing_systems()))}
    return render(request, "migration/index.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["package"]
        content = uploads.content(file)
        package = Package(
            name=file.name[:200],
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            uploaded_by=request.clerk.name,
            uploader=request.clerk.username,
        )
        try:
            contents = flow.read(content)  # takes seconds: not while a transaction waits
            with transaction.atomic():
                flow.begin(package, contents)
                activity.record(request, "migrációs csomag feltöltése", package.sha256[:12])
        except packages.PackageFault as fault:
            form.add_error("package", str(fault))
        else:
            messages.success(request, "A csomagot átadtuk ellenőrzésre. Az eredmény itt jelenik meg.")
            return redirect("migration:package", pk=package.pk)
    context = {"form": form, "title": "Csomag feltöltése", "submit": "Feltöltés és ellenőrzés", "back": "."}
    lead = "A feltöltés még semmit nem ír a rendszerekbe: előbb minden rendszer ellenőrzi a saját részét."
    return render(
        request, "core/form.html", context | {"lead": lead, "multipart": True}, status=422 if form.errors else 200
    )


@require_GET
def package(request: HttpRequest, pk: int) -> HttpResponse:
    package = get_object_or_404(Package.objects.defer("content"), pk=pk)
    parts = [(part, (part.report or {"faults": []})["faults"][:ON_PAGE]) for part in package.parts.all()]
    context = {"package": package, "parts": parts, "faulty": any(faults for _, faults in parts)}
    return render(request, "migration/package.html", context)


@needs(APPROVER)
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve the import of a package; not by who uploaded it."""
    package = get_object_or_404(Package.objects.defer("content"), pk=pk)
    if package.uploader == request.clerk.username:
        messages.error(request, "Az átvételt másnak kell jóváhagynia, mint aki a csomagot feltöltötte.")
        return redirect("migration:package", pk=pk)
    try:
        with ROOM.work(), transaction.atomic():
            accepted = flow.approve(pk, request.clerk.name)
            if accepted:
                activity.record(request, "migrációs csomag átvétele", package.sha256[:12])
    except IntegrityError:
        messages.error(request, "Ezt a csomagot már egyszer átvették.")
    else:
        if accepted:
            messages.success(request, "Az átvételt jóváhagyta. Írás előtt minden rendszer még egyszer ellenőriz.")
        else:
            messages.error(request, "A csomag most nem vehető át.")
    return redirect("migration:package", pk=pk)


@needs(APPROVER)
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Complete a partly imported package in the systems that refused it."""
    package = get_object_or_404(Package.objects.defer("content"), pk=pk)
    with ROOM.work(), transaction.atomic():
        accepted = flow.resume(pk)
        if accepted:
            activity.record(request, "migrációs csomag átvételének befejezése", package.sha256[:12])
    if accepted:
        messages.success(request, "A hátralévő rendszerek újra megkapták a saját részüket.")
    else:
        messages.error(request, "A csomag most nem vehető át.")
    return redirect("migration:package", pk=pk)


@require_GET
def faults(request: HttpRequest, pk: int) -> HttpResponse:
    """Every fault that the systems reported, as XLSX, for those who correct the data."""
    package = get_object_or_404(Package.objects.defer("content"), pk=pk)
    rows = [
        (system_name(part.system), *_fault_row(fault))
        for part in package.parts.exclude(report=None)
        for fault in part.report["faults"]
    ]
    return sheets.sheet(f"migracio-hibajegyzek-{pk}", ["Rendszer", *FAULT_HEAD], rows)


def _fault_row(fault: dict) -> tuple:
    return fault["file"], fault["row"], fault["column"], fault["seen"], fault["wanted"]


@require_GET
def minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """The minutes (jegyzőkönyv) of the import as PDF."""
    package = get_object_or_404(Package.objects.defer("content"), pk=pk)
    pdf = Pdf("Jegyzőkönyv a korábbi adatok átvételéről", facts.of_tenant().name).pairs(
        [
            ("Csomag", package.name),
            ("Ellenőrző összeg (SHA-256)", package.sha256),
            ("Állapot", package.get_state_display()),
            ("Feltöltötte", f"{package.uploaded_by}, {timezone.localtime(package.uploaded_at):%Y. %m. %d. %H:%M}"),
            ("Jóváhagyta", package.applied_by),
            ("Jóváhagyás ideje", package.applied_at),
        ]
    )
    for part in package.parts.all():
        report = part.report or {"rows": {}, "totals": {}, "faults_count": 0, "faults": []}
        pdf.section(f"{system_name(part.system)}: {'átvéve' if part.applied else 'nincs átvéve'}")
        pdf.table(["Fájl", "Sorok"], list(report["rows"].items()), (3, 1))
        if report["totals"]:
            pdf.table(["Egyenleg", "Összeg"], list(report["totals"].items()), (3, 1))
        for fault in part.balance_faults:
            pdf.paragraph(f"Egyenlegeltérés: {fault}")
        if report["faults"]:
            pdf.paragraph(f"Hibás sorok száma: {report['faults_count']}. A teljes lista a hibajegyzékben van.")
            pdf.table(FAULT_HEAD, [_fault_row(fault) for fault in report["faults"][:ON_PAPER]], (3, 1, 2, 3, 3))
    pdf.section("Aláírások").paragraph("\n\n............................................\nátadó\n\n\n"
                                       "............................................\nátvevő")  # fmt: skip
    return pdf.response(f"migracio-jegyzokonyv-{package.pk}")
