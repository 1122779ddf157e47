"""What the forms of all systems share: Hungarian messages, day fields, and a token against double submission."""

from __future__ import annotations

import uuid

from django import forms

DAY_FORMATS = ["%Y-%m-%d", "%Y. %m. %d.", "%Y.%m.%d."]


class DayInput(forms.DateInput):
    """The browser's own calendar, with the value in ISO form."""

    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


class FormMixin:
    """For forms and model forms: Hungarian messages for what is missing, and days as people write them."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            label = str(field.label or "").lower()
            field.error_messages.setdefault("required", "")
            if label and not isinstance(field.widget, forms.HiddenInput):
                field.error_messages["required"] = f"Ezt a mezőt ki kell tölteni: {label}."
            if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
                field.error_messages["invalid_choice"] = "Válasszon a felsoroltak közül."
            if isinstance(field, forms.DateField):
                field.widget = DayInput()
                field.input_formats = DAY_FORMATS
                field.error_messages["invalid"] = "A dátum alakja: 2026-01-31."


class TokenField(forms.UUIDField):
    """Hidden field of a form that must count once however often it is sent; save it in a unique column."""

    def __init__(self, **kwargs):
        messages = dict.fromkeys(["required", "invalid"], "Az űrlap hiányos. Nyissa meg újra, és töltse ki ismét.")
        super().__init__(widget=forms.HiddenInput, initial=uuid.uuid4, error_messages=messages, **kwargs)
