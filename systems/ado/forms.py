from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone

from systems.ado.models import Payment, Return, Taxpayer
from systems.core import identifiers
from systems.core.forms import FormMixin

EARLIEST = dt.date(1990, 1, 1)  # the municipalities' own taxes begin; an earlier day is a slip of the keyboard


class TaxpayerForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Taxpayer
        fields = ["identifier", "name", "address"]
        help_texts = {"identifier": "Adóazonosító jel (10 számjegy) vagy adószám (11 számjegy)."}
        error_messages = {"identifier": {"unique": "Ezzel az adóazonosítóval már van adózó."}}

    def clean_identifier(self) -> str:
        try:
            return identifiers.identifier(self.cleaned_data["identifier"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class ReturnForm(FormMixin, forms.ModelForm):
    """A return that came on paper."""

    class Meta:
        model = Return
        fields = ["tax", "number", "year", "base"]
        labels = {"tax": "adónem"}

    def clean_base(self) -> int:
        if self.cleaned_data["base"] < 0:
            raise forms.ValidationError("Az adóalap nem lehet negatív.")
        return self.cleaned_data["base"]

    def clean_year(self) -> int:
        year, this = self.cleaned_data["year"], timezone.localdate().year
        if not EARLIEST.year <= year <= this:
            raise forms.ValidationError(f"Az adóév {EARLIEST.year} és {this} közé essen.")
        return year


class PaymentForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Payment
        fields = ["day", "amount", "reference"]
        error_messages = {"reference": {"unique": "Ez a befizetés már rögzítve van."}}

    def clean_amount(self) -> int:
        if self.cleaned_data["amount"] <= 0:
            raise forms.ValidationError("A befizetés nagyobb nullánál.")
        return self.cleaned_data["amount"]

    def clean_day(self) -> dt.date:
        day = self.cleaned_data["day"]
        if not EARLIEST <= day <= timezone.localdate():
            raise forms.ValidationError("Az értéknap nem lehet a jövőben.")
        return day


class RejectForm(FormMixin, forms.Form):
    reason = forms.CharField(label="indok", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
