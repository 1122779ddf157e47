from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils import timezone

from systems.core.forms import FormMixin, TokenField
from systems.helpdesk.models import Parameter, Step, Ticket
from systems.shared.bodies import KIB, REPORTED


def largest_file() -> int:
    """Bytes of a file: what the municipality allows, at most what every server on the way lets through."""
    return min(Parameter.value_of("largest_file") * KIB, REPORTED)


class TicketForm(FormMixin, forms.ModelForm):
    """A fault or request as a clerk reports it; the fields are those that the real ASP's support asks for."""

    service = forms.ChoiceField(label="melyik rendszerben")
    happened_at = forms.DateTimeField(
        label="mikor tapasztalta",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": "Az időpont alakja: 2026-01-31 14:30."},
    )
    upload = forms.FileField(label="képernyőkép vagy fájl", required=False)
    token = TokenField()

    class Meta:
        model = Ticket
        fields = ["kind", "reach", "service", "happened_at", "error", "description", "contact", "case_ids", "form_code"]
        widgets = {"description": forms.Textarea(attrs={"rows": 5})}
        help_texts = {
            "reach": "Leállás az, ha nyitvatartási időben senki sem tud dolgozni.",
            "contact": "Telefonszám vagy e-mail-cím, ahol visszahívhatjuk.",
            "case_ids": "Csak ha a hiba fizetéssel kapcsolatos.",
            "form_code": "Csak ha a hiba űrlappal kapcsolatos.",
        }

    def __init__(self, ksh: str, *args, **kwargs):
        super().__init__(*args, **kwargs)
        services = [(entry.id, entry.name) for entry in settings.ASP.catalogue if entry.serves(ksh)]
        self.fields["service"].choices = [("", "válasszon"), *services]
        self.fields["upload"].help_text = f"Legfeljebb {largest_file() // KIB} KiB."
        self.fields["happened_at"].initial = timezone.localtime

    def clean_happened_at(self):
        at = self.cleaned_data["happened_at"]
        if at > timezone.now():
            raise forms.ValidationError("Ez az időpont a jövőben van.")
        return at

    def clean_upload(self):
        upload = self.cleaned_data["upload"]
        limit = largest_file()
        if upload and upload.size > limit:
            raise forms.ValidationError(f"A fájl legfeljebb {limit // KIB} KiB lehet.")
        return upload


class StepForm(FormMixin, forms.ModelForm):
    """An answer from support, with the ticket's new state."""

    class Meta:
        model = Step
        fields = ["state", "text"]
        labels = {"state": "állapot"}
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}


class MessageForm(FormMixin, forms.Form):
    """A message that the reporter adds."""

    text = forms.CharField(label="üzenet", max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
