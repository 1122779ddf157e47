from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from systems.core.forms import FormMixin, TokenField
from systems.iparker.models import TRADE, Entry, Inspection, Notification, ProductGroup, Trade
from systems.shared import identifiers

EARLIEST = dt.date(1990, 1, 1)  # private trade begins; an earlier day is a typing error


class TradeForm(FormMixin, forms.ModelForm):
    """Data of a trade. Missing data is found by the check before registration, not by the form."""

    products = forms.MultipleChoiceField(
        label="termékkörök",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Amit a kereskedő forgalmaz.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["products"].choices = [(group.code, str(group)) for group in ProductGroup.objects.all()]

    class Meta:
        model = Notification
        fields = TRADE
        help_texts = {
            "trader_identifier": "Adószám (11 számjegy) vagy adóazonosító jel (10 számjegy).",
            "site": "Az üzlet címe, a piac helye vagy a mozgóbolt útvonala.",
            "opening_hours": "Például: H–P 8.00–16.30, Szo 8.00–12.00.",
        }
        widgets = {"opening_hours": forms.Textarea(attrs={"rows": 3}), "site": forms.Textarea(attrs={"rows": 2})}


class NotificationForm(TradeForm):
    """An open notification, corrected or completed by a clerk."""

    def clean_trader_identifier(self) -> str:
        try:
            return identifiers.identifier(self.cleaned_data["trader_identifier"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_since(self) -> dt.date:
        day = self.cleaned_data["since"]
        if day < EARLIEST:
            raise forms.ValidationError(f"A tevékenység kezdete nem lehet korábbi, mint {EARLIEST:%Y. %m. %d.}")
        return day

    def clean(self):
        data = super().clean()
        if data.get("form") and data["form"] != Trade.Form.SHOP:
            # Only a shop has these: values entered before the kind of trade was changed must not stay.
            data |= {"shop_name": "", "floor_area": None}
        return data


class PaperForm(NotificationForm):
    """A notification on paper."""

    token = TokenField()

    class Meta(TradeForm.Meta):
        fields = ["number", "applicant", "received_on", *TRADE]
        labels = {"received_on": "beérkezés napja"}

    def clean_received_on(self) -> dt.date:
        return _past(self.cleaned_data["received_on"], "A beérkezés napja")


class EntryForm(TradeForm):
    """New data of an entry from a day on. The trader and the kind of trade stay: a change of either is a new entry."""

    day = forms.DateField(label="változás napja", initial=timezone.localdate)
    reason = forms.CharField(label="ok, irat száma", max_length=300)

    class Meta(TradeForm.Meta):
        model = Entry
        fields = [name for name in TRADE if name not in ("trader_identifier", "since", "form")]

    def clean_day(self) -> dt.date:
        return _past(self.cleaned_data["day"], "A változás napja")

    def trade(self) -> dict[str, Any]:
        """The data alone."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.Meta.fields}


class ChangeForm(FormMixin, forms.Form):
    """When and why a trade is suspended, resumed or ended."""

    day = forms.DateField(label="változás napja", initial=timezone.localdate)
    reason = forms.CharField(label="ok, irat száma", max_length=300)

    clean_day = EntryForm.clean_day


class ReasonForm(FormMixin, forms.Form):
    reason = forms.CharField(label="indok", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class MissingForm(FormMixin, forms.Form):
    missing = forms.CharField(label="mi hiányzik", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class InspectionForm(FormMixin, forms.ModelForm):
    token = TokenField()

    class Meta:
        model = Inspection
        fields = ["day", "finding", "deadline"]
        widgets = {"finding": forms.Textarea(attrs={"rows": 4})}
        help_texts = {"deadline": "Ameddig a kereskedőnek a hibát meg kell szüntetnie."}

    def clean_day(self) -> dt.date:
        return _past(self.cleaned_data["day"], "Az ellenőrzés napja")

    def clean(self):
        data = super().clean()
        day, deadline = data.get("day"), data.get("deadline")
        if day and deadline and deadline < day:
            self.add_error("deadline", "A határidő nem lehet korábbi az ellenőrzés napjánál.")
        return data


class SettleForm(FormMixin, forms.Form):
    settled_on = forms.DateField(label="lezárás napja", initial=timezone.localdate)
    outcome = forms.CharField(label="eredmény", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def clean_settled_on(self) -> dt.date:
        return _past(self.cleaned_data["settled_on"], "A lezárás napja")


def _past(day: dt.date, what: str) -> dt.date:
    if not EARLIEST <= day <= timezone.localdate():
        raise forms.ValidationError(f"{what} nem lehet a jövőben.")
    return day
