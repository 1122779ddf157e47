from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone

from systems.ado.models import Payment, Return, Tax, Taxpayer
from systems.core.forms import FormMixin
from systems.core.money import ForintFormField
from systems.shared import identifiers

DUPLICATE = "Ezzel az adóazonosítóval már van adózó."
EARLIEST = dt.date(1990, 1, 1)  # local taxes begin; an earlier day is a typing error


class TaxpayerForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Taxpayer
        fields = ["identifier", "name", "address"]
        help_texts = {"identifier": "Adóazonosító jel (10 számjegy) vagy adószám (11 számjegy)."}
        error_messages = {"identifier": {"unique": DUPLICATE}}

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
        year, this_year = self.cleaned_data["year"], timezone.localdate().year
        if not EARLIEST.year <= year <= this_year:
            raise forms.ValidationError(f"Az adóév {EARLIEST.year} és {this_year} közé essen.")
        return year


class PaymentForm(FormMixin, forms.ModelForm):
    tax = forms.ModelChoiceField(
        Tax.objects, label="adónem", required=False, empty_label="a legrégebbi tartozásokra, bármelyik adónemben"
    )

    class Meta:
        model = Payment
        fields = ["day", "amount", "reference"]

    def clean_amount(self) -> int:
        if self.cleaned_data["amount"] <= 0:
            raise forms.ValidationError("Az összeg legyen nagyobb nullánál.")
        return self.cleaned_data["amount"]

    def clean_day(self) -> dt.date:
        day = self.cleaned_data["day"]
        if not EARLIEST <= day <= timezone.localdate():
            raise forms.ValidationError("Az értéknap nem lehet a jövőben.")
        return day


class RefundForm(PaymentForm):
    """The repayment of an overpayment."""

    tax = forms.ModelChoiceField(Tax.objects, label="adónem", empty_label=None)

    class Meta(PaymentForm.Meta):
        fields = ["day", "amount", "reference", "reason"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class ReasonForm(FormMixin, forms.Form):
    reason = forms.CharField(label="indok", max_length=300)


class CorrectionForm(ReasonForm):
    base = ForintFormField(label="helyes adóalap", min_value=0)


class RejectForm(FormMixin, forms.Form):
    reason = forms.CharField(label="indok", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
