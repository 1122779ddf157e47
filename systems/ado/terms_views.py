"""The municipality's own terms: rates of its taxes, due days, late interest, each with its source."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from systems.ado.models import InterestRate, Tax
from systems.ado.views import CLERK
from systems.core import activity
from systems.core.access import needs
from systems.core.forms import FormMixin

CONFIRMED = "decree"
SOURCE = "Például: 12/2025. (XI. 28.) önkormányzati rendelet 4. §."


class TaxForm(FormMixin, forms.ModelForm):
    """A tax's rate by decree. Assessments keep the rate that they were made with."""

    class Meta:
        model = Tax
        fields = ["per_mille", "source"]
        help_texts = {"source": SOURCE}

    def clean_per_mille(self) -> int:
        if self.cleaned_data["per_mille"] > 1000:
            raise forms.ValidationError("A mérték legfeljebb 1000 ezrelék.")
        return self.cleaned_data["per_mille"]


class RateForm(FormMixin, forms.Form):
    """Late interest from a day on; what was before stays as it was."""

    since = forms.DateField(label="ettől a naptól")
    percent = forms.DecimalField(label="éves mérték (%)", min_value=0, max_value=100, max_digits=5, decimal_places=2)
    source = forms.CharField(label="forrás", max_length=200)

    def clean_since(self) -> dt.date:
        since, last = self.cleaned_data["since"], InterestRate.objects.last()
        if last and since <= last.since:
            raise forms.ValidationError(
                f"A most rögzített mérték {last.since:%Y. %m. %d.} napjától szól; az új csak ennél később kezdődhet."
            )
        return since


@require_GET
def terms(request: HttpRequest) -> HttpResponse:
    """Everything by which taxes and interest are reckoned."""
    context = {"taxes": Tax.objects.prefetch_related("due_days"), "rates": InterestRate.objects.order_by("-since")}
    return render(request, "ado/terms.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def tax(request: HttpRequest, code: str) -> HttpResponse:
    """A tax's rate, as the municipality's decree has it."""
    shown = get_object_or_404(Tax, pk=code)
    form = TaxForm(request.POST or None, instance=shown)
    if form.is_valid():
        made = form.save(commit=False)
        made.status = CONFIRMED
        with transaction.atomic():
            made.save()
            activity.record(request, "adómérték módosítása", f"{code}: {made.per_mille} ‰")
        messages.success(
            request, f"{made.name}: a mérték {made.per_mille} ezrelék. A korábbi kivetéseken nem változtat."
        )
        return redirect("ado:terms")
    return _form(request, form, f"{shown.name} mértéke")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest) -> HttpResponse:
    """Another rate of late interest, from a day on."""
    form = RateForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        points = int(data["percent"] * 100)
        with transaction.atomic():
            InterestRate.objects.create(
                since=data["since"], basis_points=points, source=data["source"], status=CONFIRMED
            )
            activity.record(request, "késedelmi pótlék mértéke", f"{data['since']}: {data['percent']} %")
        messages.success(request, "A késedelmi pótlék új mértékét rögzítettük.")
        return redirect("ado:terms")
    lead = "Ettől a naptól minden tartozás pótlékát ezzel számoljuk; a korábbi napokén nem változtat."
    return _form(request, form, "Késedelmi pótlék új mértéke", lead)


def _form(request: HttpRequest, form, title: str, lead: str = "") -> HttpResponse:
    context = {"form": form, "title": title, "lead": lead, "back": reverse("ado:terms")}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)
