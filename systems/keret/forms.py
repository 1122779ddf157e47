"""Forms of the municipality's administrator."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.conf import settings
from django.utils import timezone

from systems.core.forms import FormMixin
from systems.keret.models import User

LONGEST = dt.timedelta(days=366)  # a later end is a typing error


def role_choices(ksh: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Roles of the systems that the municipality has, grouped by system: (`irat.iktato`, `Iktató`)."""
    return [
        (entry.name, [(f"{entry.id}.{role}", label) for role, label in entry.roles.items()])
        for entry in settings.ASP.catalogue
        if entry.serves(ksh)
    ]


class UserForm(FormMixin, forms.ModelForm):
    """A clerk's particulars; `username` only for a new one."""

    class Meta:
        model = User
        fields = ["username", "name", "position", "email", "phone"]
        help_texts = {"username": "Az, amelyik a tanúsítványában áll (például minta.ilona)."}
        error_messages = {"username": {"unique": "Ezzel a felhasználónévvel már van felhasználó."}}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["username"]


class RolesForm(forms.Form):
    """Permanent roles; they replace those that came with the sign-in."""

    def __init__(self, ksh: str, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, choices in role_choices(ksh):
            system = choices[0][0].split(".")[0] if choices else None
            if system:
                self.fields[system] = forms.MultipleChoiceField(
                    label=name, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
                )

    def roles(self) -> set[str]:
        return {role for values in self.cleaned_data.values() for role in values}


class Period(FormMixin, forms.Form):
    """A period from today until the end of a day, with a reason."""

    until = forms.DateField(label="utolsó nap")
    reason = forms.CharField(label="indok", max_length=200)

    def clean_until(self) -> dt.datetime:
        day, today = self.cleaned_data["until"], timezone.localdate()
        if not today <= day <= today + LONGEST:
            raise forms.ValidationError("Az utolsó nap a mai nap és egy év közé essen.")
        midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time())
        return timezone.make_aware(midnight)


class TemporaryForm(Period):
    """A temporary permission: one role until a day."""

    role = forms.ChoiceField(label="szerepkör")
    field_order = ["role", "until", "reason"]

    def __init__(self, ksh: str, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(ksh)


class SubstitutionForm(Period):
    """A substitution: all roles of a colleague until a day."""

    colleague = forms.ModelChoiceField(label="akit helyettesít", queryset=User.objects.none(), empty_label="válasszon")
    field_order = ["colleague", "until", "reason"]

    def __init__(self, user: User, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["colleague"].queryset = User.objects.exclude(pk=user.pk)


class LockForm(FormMixin, forms.Form):
    """Why a clerk is locked out."""

    reason = forms.CharField(label="indok", max_length=200)
