from __future__ import annotations

from django import forms
from django.utils import timezone

from systems.core.forms import FormMixin, TokenField
from systems.core.money import ForintFormField
from systems.ivk import lot
from systems.ivk.models import Parcel, known_lot

PARTS = 6  # into which one form can split a parcel


def clean_lot(text: str) -> str:
    """A lot number in its stored form."""
    text = lot.tidy(text)
    known_lot(text)
    return text


class LotField(forms.CharField):
    def __init__(self, **options):
        super().__init__(max_length=40, help_text="Például 123/4 vagy 123/4/A/5; külterületen 0123/4.", **options)

    def clean(self, value):
        value = super().clean(value)
        return clean_lot(value) if value else value


class Change(FormMixin, forms.Form):
    """When and why something changed."""

    day = forms.DateField(label="változás napja", initial=timezone.localdate)
    reason = forms.CharField(label="ok, irat száma", max_length=200)

    def clean_day(self):
        if self.cleaned_data["day"] > timezone.localdate():
            raise forms.ValidationError("A változás napja nem lehet a jövőben.")
        return self.cleaned_data["day"]


class ParcelForm(FormMixin, forms.ModelForm):
    """A parcel's data with the day and reason of the change."""

    lot = LotField(label="helyrajzi szám")
    day = forms.DateField(label="változás napja", initial=timezone.localdate)
    reason = forms.CharField(label="ok, irat száma", max_length=200)

    class Meta:
        model = Parcel
        fields = [
            "lot",
            "area",
            "address",
            "use",
            "square_metres",
            "share_part",
            "share_whole",
            "gross",
            "depreciation",
            "transferability",
            "encumbrance",
        ]

    clean_day = Change.clean_day

    def clean(self):
        data = super().clean()
        number, area = data.get("lot"), data.get("area")
        if number and area and (area == Parcel.Area.OUTER) != number.startswith("0"):
            self.add_error("lot", "Külterületi helyrajzi szám 0-val kezdődik, más nem.")
        if data.get("square_metres") == 0:
            self.add_error("square_metres", "A terület nagyobb legyen nullánál.")
        part, whole = data.get("share_part"), data.get("share_whole")
        if part is not None and whole is not None and not 1 <= part <= whole:
            self.add_error("share_part", "A tulajdoni hányad 0-nál nagyobb, és legfeljebb 1 egész.")
        gross, depreciation = data.get("gross"), data.get("depreciation")
        if gross is not None and depreciation is not None and not 0 <= depreciation <= gross:
            self.add_error("depreciation", "Az értékcsökkenés nem lehet negatív vagy több a bruttó értéknél.")
        return data

    def values(self) -> dict[str, object]:
        """The parcel's data from the form."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class NewParcelForm(ParcelForm):
    token = TokenField()


class MergeForm(Change):
    """Which parcels are merged into one."""

    area = forms.ChoiceField(label="fekvés", choices=Parcel.Area)
    old = forms.CharField(
        label="összevont ingatlanok helyrajzi száma",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Soronként vagy vesszővel elválasztva.",
    )
    lot = LotField(label="az új ingatlan helyrajzi száma")
    field_order = ["area", "old", "lot", "day", "reason"]

    def clean_old(self) -> list[Parcel]:
        """The parcels with these lot numbers, which must all be in the register."""
        lots = [lot.tidy(text) for text in self.cleaned_data["old"].replace("\n", ",").split(",") if text.strip()]
        area = self.cleaned_data.get("area")
        parcels = {p.lot: p for p in Parcel.objects.filter(ended=None, area=area, lot__in=lots)}
        if missing := [text for text in lots if text not in parcels]:
            raise forms.ValidationError(f"Ilyen ingatlan itt nincs a nyilvántartásban: {', '.join(missing)}.")
        if len(parcels) < 2:
            raise forms.ValidationError("Legalább két különböző ingatlant adjon meg.")
        return list(parcels.values())


class PartForm(FormMixin, forms.Form):
    """A part of a split parcel."""

    lot = LotField(label="helyrajzi szám")
    square_metres = forms.IntegerField(label="terület (m²)", min_value=1)
    gross = ForintFormField(label="bruttó érték (Ft)", min_value=0)
    depreciation = ForintFormField(label="értékcsökkenés (Ft)", min_value=0)

    def clean(self):
        data = super().clean()
        if None not in (data.get("gross"), data.get("depreciation")) and data["depreciation"] > data["gross"]:
            self.add_error("depreciation", "Nem lehet több a bruttó értéknél.")
        return data


PartSet = forms.formset_factory(PartForm, extra=PARTS, max_num=PARTS, validate_max=True)
