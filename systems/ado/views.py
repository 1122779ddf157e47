"""The tax office's pages: returns to decide, taxpayers and their accounts, payments, arrears."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.ado import assessing, extracting, payments
from systems.ado.account import Balance
from systems.ado.forms import DUPLICATE, PaymentForm, RejectForm, ReturnForm, TaxpayerForm
from systems.ado.models import Instalment, Return, Tax, Taxpayer, balances
from systems.core.access import needs
from systems.core.errors import NotPossible
from systems.shell import activity

CLERK = "ugyintezo"
PAGE = 25


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Returns waiting for a decision, oldest first."""
    page = Paginator(Return.objects.filter(state=Return.State.OPEN).select_related("tax"), PAGE)
    return render(request, "ado/index.html", {"page": page.get_page(request.GET.get("oldal"))})


@require_GET
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    return _entry(request, get_object_or_404(Return.objects.select_related("tax"), pk=pk), RejectForm())


def _entry(request: HttpRequest, entry: Return, form: RejectForm, status: int = 200) -> HttpResponse:
    current = assessing.current_assessment(entry) if entry.state == Return.State.OPEN else None
    per_mille = current.per_mille if current else entry.tax.per_mille
    context = {"entry": entry, "form": form, "tax": assessing.tax_of(entry.base, per_mille), "current": current}
    return render(request, "ado/return.html", context, status=status)


@needs(CLERK)
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Return, pk=pk)
    try:
        with transaction.atomic():
            assessment = assessing.accept(pk, request.clerk.name, correction="onellenorzes" in request.POST)
            action = "önellenőrzés elfogadása" if assessment.replaces_id else "adó kivetése"
            activity.record(request, action, f"{assessment.year}/{assessment.tax_id}/{assessment.pk}")
    except NotPossible as fault:
        messages.error(request, str(fault))
        return redirect("ado:return", pk=pk)
    message = (
        "Az önellenőrzést elfogadtuk." if assessment.replaces_id else "A bevallást elfogadtuk, az adót kivetettük."
    )
    messages.success(request, message)
    return redirect("ado:taxpayer", pk=assessment.taxpayer_id)


@needs(CLERK)
@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    entry, form = get_object_or_404(Return.objects.select_related("tax"), pk=pk), RejectForm(request.POST)
    if not form.is_valid():
        return _entry(request, entry, form, 422)
    try:
        with transaction.atomic():
            assessing.reject(pk, request.clerk.name, form.cleaned_data["reason"])
            activity.record(request, "bevallás elutasítása", str(pk))
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A bevallást elutasítottuk.")
    return redirect("ado:return", pk=pk)


@require_GET
def taxpayers(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    taxpayers = Taxpayer.objects.filter(Q(name__icontains=query) | Q(identifier__startswith=query))
    page = Paginator(taxpayers, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "ado/taxpayers.html", {"page": page, "query": query})


@require_GET
def taxpayer(request: HttpRequest, pk: int) -> HttpResponse:
    taxpayer = get_object_or_404(Taxpayer, pk=pk)
    by_tax, names = taxpayer.balances(), dict(Tax.objects.values_list("code", "name"))
    context = {
        "taxpayer": taxpayer,
        "balance": sum(by_tax.values(), Balance(timezone.localdate())),
        "balances": [(name, by_tax[code]) for code, name in names.items() if code in by_tax],
        "assessments": taxpayer.assessments.select_related("tax", "replaced_by").order_by("-year", "tax", "-pk"),
        "parts": Instalment.objects.filter(assessment__taxpayer=taxpayer)
        .select_related("assessment__tax")
        .order_by("due"),
        "payments": taxpayer.payments.select_related("reversal").prefetch_related("parts__tax"),
    }
    return render(request, "ado/taxpayer.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_taxpayer(request: HttpRequest) -> HttpResponse:
    form = TaxpayerForm(request.POST or None)
    if form.is_valid():
        try:
            with transaction.atomic():
                taxpayer = form.save()
                activity.record(request, "adózó felvétele", taxpayer.identifier)
        except IntegrityError:  # the same taxpayer in two windows at once
            form.add_error("identifier", DUPLICATE)
        else:
            return redirect("ado:taxpayer", pk=taxpayer.pk)
    return _form(request, form, "Új adózó", reverse("ado:taxpayers"))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_return(request: HttpRequest, pk: int) -> HttpResponse:
    """A return on paper, entered for a taxpayer."""
    taxpayer, form = get_object_or_404(Taxpayer, pk=pk), ReturnForm(request.POST or None)
    if form.is_valid():
        entry = form.save(commit=False)
        entry.identifier, entry.name, entry.address = taxpayer.identifier, taxpayer.name, taxpayer.address
        with transaction.atomic():
            entry.save()
            activity.record(request, "bevallás rögzítése", str(entry.pk))
        return redirect("ado:return", pk=entry.pk)
    return _form(request, form, f"Bevallás rögzítése: {taxpayer.name}", reverse("ado:taxpayer", args=[pk]))


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_payment(request: HttpRequest, pk: int) -> HttpResponse:
    taxpayer, form = get_object_or_404(Taxpayer, pk=pk), PaymentForm(request.POST or None)
    if form.is_valid():
        payment = form.save(commit=False)
        payment.taxpayer, payment.recorded_by = taxpayer, request.clerk.name
        try:
            with transaction.atomic():
                payments.receive([payment], form.cleaned_data["tax"])
                activity.record(request, "befizetés rögzítése", payment.reference)
        except NotPossible as fault:
            form.add_error("reference", str(fault))
        else:
            messages.success(request, "A befizetést rögzítettük.")
            return redirect("ado:taxpayer", pk=pk)
    return _form(request, form, f"Befizetés rögzítése: {taxpayer.name}", reverse("ado:taxpayer", args=[pk]))


def _form(request: HttpRequest, form, title: str, back: str) -> HttpResponse:
    context = {"form": form, "title": title, "back": back}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@require_GET
def extract(request: HttpRequest, pk: int) -> HttpResponse:
    taxpayer = get_object_or_404(Taxpayer, pk=pk)
    return extracting.pdf(taxpayer).response(f"adoszamla-{taxpayer.identifier}")


@require_GET
def arrears(request: HttpRequest) -> HttpResponse:
    """Who owes today, the largest debt first."""
    zero = Balance(timezone.localdate())
    totals = ((pk, sum(taxes.values(), zero)) for pk, taxes in balances(zero.day).items())
    debtors = sorted((pair for pair in totals if pair[1].owed > 0), key=lambda pair: (-pair[1].owed, pair[0]))
    page = Paginator(debtors, PAGE).get_page(request.GET.get("oldal"))
    taxpayers = Taxpayer.objects.in_bulk([pk for pk, _ in page])
    rows = [(taxpayers[pk], balance) for pk, balance in page]
    total = sum(balance.owed for _, balance in debtors)
    return render(request, "ado/arrears.html", {"page": page, "rows": rows, "total": total})
