import uuid

from django import forms
from django.utils import timezone

from systems.irat.models import Document

EARLIEST_YEAR = 1990  # the municipalities' own; an earlier day of arrival is a slip of the keyboard


class DocumentForm(forms.ModelForm):
    """An incoming document as the clerk enters it; its number is given when it is registered."""

    token = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid.uuid4,
        error_messages=dict.fromkeys(["required", "invalid"], "Az űrlap hiányos. Nyissa meg újra, és töltse ki ismét."),
    )

    class Meta:
        model = Document
        fields = ["sender", "subject", "arrival", "received_on", "note"]
        widgets = {
            "received_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "note": forms.Textarea(attrs={"rows": 3}),
        }
        error_messages = {
            "sender": {"required": "Adja meg a küldő nevét."},
            "subject": {"required": "Adja meg az irat tárgyát."},
            "received_on": {"required": "Adja meg az érkezés napját.", "invalid": "A dátum alakja: 2026-01-31."},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["received_on"].initial = timezone.localdate
        self.fields["received_on"].input_formats = ["%Y-%m-%d", "%Y. %m. %d.", "%Y.%m.%d."]

    def clean_received_on(self):
        day = self.cleaned_data["received_on"]
        if day > timezone.localdate():
            raise forms.ValidationError("Az érkezés napja nem lehet a jövőben.")
        if day.year < EARLIEST_YEAR:
            raise forms.ValidationError("Ellenőrizze az évszámot.")
        return day
