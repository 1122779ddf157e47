"""The municipality's own terms: rates of its taxes, due days, late interest, each with its source."""

from __future__ import annotations

import datetime as dt
import re

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from systems.ado.models import DueDay, InterestRate, Tax
from systems.ado.views import CLERK
from systems.core.access import needs
from systems.core.forms import FormMixin
from systems.shell import activity

CONFIRMED = "decree"
PARTS = 4  # instalments of a year, at most
DAY = re.compile(r"(\d{1,2})(?:-|\. ?)(\d{1,2})\.?")
ORDINARY = 2025  # no leap year: a due day must exist in every year
SOURCE = "Például: 12/2025. (XI. 28.) önkormányzati rendelet 4. §."


class TaxForm(FormMixin, forms.ModelForm):
    """A tax's rate by decree. Existing assessments keep their rate."""

    class Meta:
        model = Tax
        fields = ["per_mille", "source"]
        help_texts = {"source": SOURCE}

    def clean_per_mille(self) -> int:
        if self.cleaned_data["per_mille"] > 1000:
            raise forms.ValidationError("A mérték legfeljebb 1000 ezrelék.")
        return self.cleaned_data["per_mille"]


def _day(n: int) -> forms.CharField:
    help_text = "Hónap és nap, például: 03-15."
    return forms.CharField(label=f"{n}. részlet napja", required=n == 1, max_length=10, help_text=help_text)


def _share(n: int) -> forms.IntegerField:
    return forms.IntegerField(label=f"{n}. részlet aránya (%)", required=n == 1, min_value=1, max_value=100)


class DueForm(FormMixin, forms.Form):
    """When a tax is due. Existing assessments keep their instalments."""

    year_offset = forms.TypedChoiceField(
        label="melyik évben esedékes", choices=[(0, "az adóévben"), (1, "az adóévet követő évben")], coerce=int
    )
    by_decision = forms.BooleanField(label="az adóhatóság határozattal veti ki", required=False)
    notice_days = forms.IntegerField(
        label="fizetési határidő a határozat után (nap)",
        min_value=0,
        max_value=90,
        help_text="Amit az adóhatóság vet ki vagy helyesbít, az ennél korábban nem esedékes.",
    )

    day_1, share_1 = _day(1), _share(1)
    day_2, share_2 = _day(2), _share(2)
    day_3, share_3 = _day(3), _share(3)
    day_4, share_4 = _day(4), _share(4)
    source = forms.CharField(label="forrás", max_length=200, help_text=SOURCE)

    def __init__(self, *args, tax: Tax, **kwargs):
        initial = {name: getattr(tax, name) for name in ("year_offset", "by_decision", "notice_days")}
        for n, due in enumerate(tax.due_days.all(), 1):
            initial |= {f"day_{n}": f"{due.month:02d}-{due.day:02d}", f"share_{n}": due.share}
        super().__init__(*args, initial=initial | {"source": tax.due_source}, **kwargs)

    def clean(self) -> dict:
        data = super().clean()
        shares = {}
        for n in range(1, PARTS + 1):
            day, share = data.get(f"day_{n}"), data.get(f"share_{n}")
            if not day and not share or {f"day_{n}", f"share_{n}"} & self.errors.keys():
                continue
            if not (day and share):
                self.add_error(f"day_{n}", f"A(z) {n}. részlet napját és arányát is adja meg, vagy egyiket se.")
                continue
            try:
                month, number = (int(part) for part in DAY.fullmatch(day.strip()).groups())
                dt.date(ORDINARY, month, number)
            except (AttributeError, ValueError):
                self.add_error(f"day_{n}", "Minden évben meglévő nap legyen, például: 03-15.")
                continue
            if (month, number) in shares:
                self.add_error(f"day_{n}", "Ez a nap már szerepel.")
            shares[month, number] = share
        if not self.errors and sum(shares.values()) != 100:
            raise forms.ValidationError(f"A részletek aránya együtt 100 % legyen; most {sum(shares.values())} %.")
        return data | {"days": shares}


class RateForm(FormMixin, forms.Form):
    """Late interest from a day on; interest before that day stays as it is."""

    since = forms.DateField(label="ettől a naptól")
    percent = forms.DecimalField(label="éves mérték (%)", min_value=0, max_value=100, max_digits=5, decimal_places=2)
    source = forms.CharField(label="forrás", max_length=200)

    def clean_since(self) -> dt.date:
        since, latest = self.cleaned_data["since"], InterestRate.objects.last()
        if latest and since <= latest.since:
            raise forms.ValidationError(
                f"A most rögzített mérték {latest.since:%Y. %m. %d.} napjától szól; az új csak ennél később kezdődhet."
            )
        return since


@require_GET
def terms(request: HttpRequest) -> HttpResponse:
    """All terms by which taxes and interest are calculated."""
    context = {"taxes": Tax.objects.prefetch_related("due_days"), "rates": InterestRate.objects.order_by("-since")}
    return render(request, "ado/terms.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def tax(request: HttpRequest, code: str) -> HttpResponse:
    """A tax's rate by the municipality's decree."""
    current = get_object_or_404(Tax, pk=code)
    form = TaxForm(request.POST or None, instance=current)
    if form.is_valid():
        tax = form.save(commit=False)
        tax.status = CONFIRMED
        with transaction.atomic():
            tax.save(update_fields=["per_mille", "source", "status"])
            activity.record(request, "adómérték módosítása", f"{code}: {tax.per_mille} ‰")
        messages.success(request, f"{tax.name}: a mérték {tax.per_mille} ezrelék. A korábbi kivetéseken nem változtat.")
        return redirect("ado:terms")
    return _form(request, form, f"{current.name} mértéke")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def due_days(request: HttpRequest, code: str) -> HttpResponse:
    """When a tax is due, by law or by the municipality's decree."""
    tax = get_object_or_404(Tax, pk=code)
    form = DueForm(request.POST or None, tax=tax)
    if form.is_valid():
        data = form.cleaned_data
        tax.year_offset, tax.by_decision = data["year_offset"], data["by_decision"]
        tax.notice_days, tax.due_source, tax.due_status = data["notice_days"], data["source"], CONFIRMED
        with transaction.atomic():
            tax.save(update_fields=["year_offset", "by_decision", "notice_days", "due_source", "due_status"])
            tax.due_days.all().delete()
            DueDay.objects.bulk_create(
                DueDay(tax=tax, month=month, day=day, share=share) for (month, day), share in data["days"].items()
            )
            activity.record(request, "esedékesség módosítása", code)
        messages.success(request, f"{tax.name}: az esedékességet rögzítettük. A korábbi kivetéseken nem változtat.")
        return redirect("ado:terms")
    lead = "Ha egy nap nem munkanap, a következő munkanapon esedékes."
    return _form(request, form, f"{tax.name} esedékessége", lead)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest) -> HttpResponse:
    """A new rate of late interest from a day on."""
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
