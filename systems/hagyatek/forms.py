from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone

from systems.core.forms import FormMixin, TokenField
from systems.hagyatek.models import Area, Asset, Debt, Estate, Handover, Heir, Notary, is_minor
from systems.shared import identifiers

EARLIEST = dt.date(1867, 1, 1)  # nobody with an open estate was born earlier
SHARE = "A számláló és a nevező egész szám; a hányad legfeljebb egy egész."


class EstateForm(FormMixin, forms.ModelForm):
    """The deceased. Missing data is found by the check before the handover, not by the form."""

    class Meta:
        model = Estate
        fields = [
            *("number", "reporter", "reporter_relation", "received_on", "name", "birth_name", "mother_name"),
            *("birth_place", "born", "died", "death_place", "address", "identifier", "marital"),
            *("has_will", "will", "no_assets", "remarks"),
        ]
        widgets = {"remarks": forms.Textarea(attrs={"rows": 4})}
        help_texts = {"received_on": "Ettől számít az átadás határideje."}

    def clean_identifier(self) -> str:
        text = self.cleaned_data["identifier"]
        try:
            return identifiers.tax_sign(text) if text else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self):
        data, today = super().clean(), timezone.localdate()
        born, died, received = data.get("born"), data.get("died"), data.get("received_on")
        if received and not (died or EARLIEST) <= received <= today:
            self.add_error("received_on", "A tudomásszerzés napja a halál napja és a mai nap közé essen.")
        if died and not (born or EARLIEST) <= died <= today:
            self.add_error("died", "A halál napja nem lehet korábbi a születés napjánál, és nem lehet a jövőben.")
        if born and born < EARLIEST:
            self.add_error("born", f"A születés napja nem lehet korábbi, mint {EARLIEST:%Y. %m. %d.}")
        return data


class NewEstateForm(EstateForm):
    """An estate reported on paper or in person."""

    token = TokenField()


class ShareMixin(FormMixin):
    """A share needs both of its numbers or neither."""

    def clean(self):
        data = super().clean()
        part, whole = data.get("share_part"), data.get("share_whole")
        if (part is None) != (whole is None) or (part is not None and not 1 <= part <= whole):
            self.add_error("share_part", SHARE)
        return data


class HeirForm(ShareMixin, forms.ModelForm):
    token = TokenField()

    class Meta:
        model = Heir
        fields = [
            *("name", "birth_name", "born", "address", "relation", "basis", "share_part", "share_whole"),
            *("minor", "ward", "representative"),
        ]
        help_texts = {"representative": "Kiskorú vagy gondnokság alatt álló örökösnél."}

    def clean(self):
        data, today = super().clean(), timezone.localdate()
        born = data.get("born")
        if born and not EARLIEST <= born <= today:
            self.add_error("born", "A születés napja nem lehet a jövőben.")
        elif born and is_minor(born, today) != data.get("minor"):
            text = "kiskorú" if is_minor(born, today) else "nagykorú"
            self.add_error("minor", f"A születés napja szerint az örökös {text}.")
        return data


class AssetForm(ShareMixin, forms.ModelForm):
    token = TokenField()

    class Meta:
        model = Asset
        fields = ["kind", "description", "place", "reference", "share_part", "share_whole", "value"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"reference": "Helyrajzi szám, rendszám, számlaszám vagy cégjegyzékszám."}

    def clean_value(self) -> int | None:
        value = self.cleaned_data["value"]
        if value is not None and value < 0:
            raise forms.ValidationError("Az érték nem lehet negatív; ami tartozás, azt a terhekhez kell felvenni.")
        return value


class DebtForm(FormMixin, forms.ModelForm):
    token = TokenField()

    class Meta:
        model = Debt
        fields = ["creditor", "basis", "amount"]

    def clean_amount(self) -> int | None:
        amount = self.cleaned_data["amount"]
        if amount is not None and amount <= 0:
            raise forms.ValidationError("A teher összege nagyobb nullánál.")
        return amount


class HandoverForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Handover
        fields = ["notary", "day", "way", "note"]
        help_texts = {"note": "Ha a közjegyző a nyilvántartás szerint nem illetékes, itt kell indokolni."}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["notary"].queryset = Notary.objects.filter(active=True)

    def clean_day(self) -> dt.date:
        if self.cleaned_data["day"] > timezone.localdate():
            raise forms.ValidationError("Az átadás napja nem lehet a jövőben.")
        return self.cleaned_data["day"]


class MissingForm(FormMixin, forms.Form):
    missing = forms.CharField(label="mi hiányzik", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class CloseForm(FormMixin, forms.Form):
    reason = forms.CharField(label="indok", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class NotaryForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Notary
        fields = ["name", "seat", "address", "active"]


class AreaForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Area
        fields = ["settlement", "first_month", "last_month"]
        help_texts = {"first_month": "A halálesetek hónapjai, 1–12."}

    def clean(self):
        data = super().clean()
        first, last = data.get("first_month"), data.get("last_month")
        if first is not None and last is not None and not 1 <= first <= last <= 12:
            self.add_error("first_month", "A hónapok 1 és 12 közé essenek, az első ne legyen későbbi az utolsónál.")
        return data
