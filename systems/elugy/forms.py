"""Django forms made from definitions, one for each step; and the form of an attachment."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django import forms
from django.utils import timezone

from systems.core import money, uploads
from systems.core.forms import FormMixin
from systems.elugy.definition import Data, Field, Kind, Step
from systems.shared import identifiers

CONTROL = {chr(code): None for code in range(32) if chr(code) not in "\t\n"}
# File types by their first bytes; the type that a browser reports is not trusted.
TYPES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
YES_NO = [("", "Válasszon"), ("yes", "igen"), ("no", "nem")]


class _Whole(forms.IntegerField):
    """Accepts numbers as people write them, with thousands separated."""

    def to_python(self, value):
        return super().to_python("".join(value.split()) if isinstance(value, str) else value)


class _Identifier(forms.CharField):
    """A tax number or tax identification sign in its common form."""

    def __init__(self, rule, **options):
        super().__init__(max_length=20, **options)
        self.rule = rule

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return text
        try:
            return self.rule(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def _form_field(question: Field) -> forms.Field:
    """The Django field of a question."""
    label = question.label[:1].upper() + question.label[1:]
    options: dict[str, Any] = {"label": label, "help_text": question.help, "required": question.required}
    match question.kind:
        case Kind.TEXT | Kind.LONG:
            widget = forms.Textarea(attrs={"rows": 5}) if question.kind is Kind.LONG else forms.TextInput()
            field = forms.CharField(max_length=question.length, widget=widget, **options)
            field.error_messages["max_length"] = f"Legfeljebb {question.length} karakter lehet."
        case Kind.WHOLE | Kind.MONEY | Kind.YEAR:
            least, most = question.least, question.most
            if question.kind is Kind.YEAR and most is None:
                most = timezone.localdate().year
            if question.kind is Kind.MONEY:
                field = money.ForintFormField(min_value=least, max_value=most, **options)
            else:
                widget = forms.TextInput(attrs={"inputmode": "numeric"})
                field = _Whole(min_value=least, max_value=most, widget=widget, **options)
            field.error_messages["invalid"] = "Egész számot írjon, például 1 250."
        case Kind.DAY:
            field = forms.DateField(**options)
        case Kind.CHOICE:
            field = forms.ChoiceField(choices=[("", "Válasszon"), *question.choices], **options)
        case Kind.YES_NO:
            field = forms.ChoiceField(choices=YES_NO, **options)
        case Kind.IDENTIFIER:
            field = _Identifier(identifiers.identifier, **options)
        case Kind.TAX_SIGN:
            field = _Identifier(identifiers.tax_sign, **options)
        case Kind.STATEMENT:
            field = forms.BooleanField(**options)
    return field


class StepForm(FormMixin, forms.Form):
    """One step of a form with its applicable questions; `answers` are the earlier ones. Created by `step_form`."""

    def __init__(self, step: Step, answers: Data, data=None):
        self.step, self.answers, self.questions = step, answers, step.applicable(answers)
        initial = {question.name: _widget_value(question, answers.get(question.name)) for question in self.questions}
        super().__init__(data, initial=initial)

    def clean(self):
        today = timezone.localdate()
        for question in self.questions:
            value = self.cleaned_data.get(question.name)
            if question.kind is Kind.DAY and value and not question.future and value > today:
                self.add_error(question.name, "Ez a nap nem lehet a jövőben.")
        faults = self.step.check({**self.answers, **self.values()})
        for name, text in faults:
            if name in self.fields and name not in self.errors:
                self.add_error(name, text)

    def values(self) -> dict[str, Any]:
        """The valid answers as JSON stores them."""
        return {
            question.name: _json_value(question, self.cleaned_data[question.name])
            for question in self.questions
            if question.name in self.cleaned_data
        }


def step_form(step: Step, answers: Data, data=None) -> StepForm:
    """The form of a step, bound when there is `data`."""
    fields = {question.name: _form_field(question) for question in step.applicable(answers)}
    return type("StepForm", (StepForm,), fields)(step, answers, data)


def _widget_value(question: Field, value: Any) -> Any:
    if question.kind is Kind.YES_NO and value is not None:
        return "yes" if value else "no"
    return value


def _json_value(question: Field, value: Any) -> Any:
    match question.kind:
        case Kind.YES_NO:
            return value == "yes"
        case Kind.DAY:
            return value.isoformat() if isinstance(value, dt.date) else None
        case Kind.TEXT | Kind.LONG:
            return value.replace("\r\n", "\n").translate(CONTROL)
    return value


def complete(step: Step, answers: Data) -> bool:
    """Whether a step is complete, checked with the form that fills it in."""
    data = {}
    for question in step.applicable(answers):
        value = _widget_value(question, answers.get(question.name))
        if value is not None and value is not False:
            data[question.name] = value
    return step_form(step, answers, data).is_valid()


class AttachmentForm(FormMixin, forms.Form):
    """A file, whose type is found from its content."""

    file = forms.FileField(
        label="Csatolmány",
        help_text="PDF, JPEG vagy PNG.",
        max_length=120,
        error_messages={
            "required": "Válasszon ki egy fájlt.",
            "empty": "A kiválasztott fájl üres.",
            "max_length": "A fájl neve legfeljebb 120 karakter lehet.",
        },
    )

    def __init__(self, *args, limit: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.limit = limit

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > self.limit:
            raise forms.ValidationError(f"A fájl legfeljebb {self.limit // 1024**2} MB lehet.")
        content = uploads.content(file)
        kind = next((name for start, name in TYPES.items() if content.startswith(start)), None)
        if kind is None:
            raise forms.ValidationError("Csak PDF, JPEG vagy PNG fájl csatolható.")
        name = file.name.translate({chr(code): None for code in range(32)})
        return {
            "name": name,
            "type": kind,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content,
        }
