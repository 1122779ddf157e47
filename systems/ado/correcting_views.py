"""Corrections of an account: corrected assessments, reversed payments, refunds."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from systems.ado import assessing, payments
from systems.ado.forms import CorrectionForm, ReasonForm, RefundForm
from systems.ado.models import Assessment, Payment, Taxpayer
from systems.ado.views import CLERK
from systems.core import money
from systems.core.access import needs
from systems.core.errors import NotPossible
from systems.shell import activity


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the base of an assessment, by decision of the office."""
    wrong = get_object_or_404(Assessment.objects.select_related("tax"), pk=pk)
    form = CorrectionForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data

        def deed() -> str:
            assessment = assessing.correct(pk, data["base"], data["reason"], request.clerk.name)
            activity.record(request, "kivetés helyesbítése", f"{assessment.year}/{assessment.tax_id}/{assessment.pk}")
            return f"A kivetést helyesbítettük. Az adó {money.to_text(assessment.amount)} Ft."

        if _perform(request, form, deed):
            return redirect("ado:taxpayer", pk=wrong.taxpayer_id)
    lead = (
        f"Most az adóalap {money.to_text(wrong.base)} Ft, a mérték {wrong.per_mille} ‰, az adó"
        f" {money.to_text(wrong.amount)} Ft. A többlet a határozat után {wrong.tax.notice_days} nappal esedékes."
    )
    return _form(request, form, wrong.taxpayer_id, f"{wrong.tax.name}, {wrong.year}. év: helyesbítés", lead)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Reverse a payment or a refund."""
    payment = get_object_or_404(Payment, pk=pk)
    form = ReasonForm(request.POST or None)
    if form.is_valid():

        def deed() -> str:
            payments.reverse(pk, form.cleaned_data["reason"], request.clerk.name)
            activity.record(request, "tétel stornózása", payment.reference)
            return "A tételt stornóztuk. A bankkivonatból könyvelt befizetés újra tisztázatlan."

        if _perform(request, form, deed):
            return redirect("ado:taxpayer", pk=payment.taxpayer_id)
    amount = f"{money.to_text(payment.amount)} Ft"
    lead = f"{payment.kind.capitalize()}: {payment.reference}, {amount}, {payment.day:%Y. %m. %d.}"
    return _form(request, form, payment.taxpayer_id, "Tétel stornózása", lead, "Stornózás")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def refund(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that an overpayment was paid back."""
    taxpayer, form = get_object_or_404(Taxpayer, pk=pk), RefundForm(request.POST or None)
    if form.is_valid():
        payment = form.save(commit=False)
        payment.taxpayer, payment.recorded_by = taxpayer, request.clerk.name

        def deed() -> str:
            payments.refund(payment, form.cleaned_data["tax"])
            activity.record(request, "túlfizetés visszatérítése", payment.reference)
            return "A visszatérítést rögzítettük."

        if _perform(request, form, deed):
            return redirect("ado:taxpayer", pk=pk)
    lead = "Csak az téríthető vissza, amit az adózó ebben az adónemben túlfizetett, és más helyi adóval nem tartozik."
    return _form(request, form, pk, f"Visszatérítés: {taxpayer.name}", lead)


def _perform(request: HttpRequest, form, deed) -> bool:
    """Do what `deed` does, whole or not at all, and show its message; what the rules refuse becomes a form error."""
    try:
        with transaction.atomic():
            message = deed()
    except NotPossible as fault:
        form.add_error(None, str(fault))
        return False
    messages.success(request, message)
    return True


def _form(request: HttpRequest, form, taxpayer: int, title: str, lead: str, submit: str = "Mentés") -> HttpResponse:
    context = {"form": form, "title": title, "lead": lead, "submit": submit}
    context["back"] = reverse("ado:taxpayer", args=[taxpayer])
    return render(request, "core/form.html", context, status=422 if form.errors else 200)
