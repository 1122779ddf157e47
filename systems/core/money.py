"""Amounts are whole forints: `int` in Python, `bigint` in the database, never a float."""

from __future__ import annotations

import re
from fractions import Fraction

from django import forms
from django.db import models

LARGEST = 10**15  # more than the country's yearly budget: anything beyond is a typing error
SPACE = "\u00a0"  # between thousands: a number must not be split over two lines


def round_to_forint(amount: Fraction) -> int:
    """The nearest whole forint of an exact amount; half a forint is rounded away from zero."""
    whole = (abs(amount) * 2 + 1) // 2
    return int(whole) if amount >= 0 else -int(whole)


def parse(text: str) -> int:
    """Forints as people type them: `1 234 567`, `1.234.567`, `-500 Ft`; ValueError (Hungarian) for anything else."""
    plain = re.sub(r"\s|Ft\.?$", "", text.strip(), flags=re.IGNORECASE)
    if re.fullmatch(r"[-−]?[0-9]{1,3}(\.[0-9]{3})+", plain):
        plain = plain.replace(".", "")
    if not re.fullmatch(r"[-−]?[0-9]{1,16}", plain, flags=re.ASCII):
        raise ValueError("Egész forintot írjon, például: 12 500.")
    amount = int(plain.replace("−", "-"))
    if abs(amount) > LARGEST:
        raise ValueError("Ez az összeg túl nagy. Nézze meg, nem gépelte-e el.")
    return amount


def to_text(amount: int) -> str:
    """`1 234 567`, with thousands separated."""
    return f"{amount:,}".replace(",", SPACE).replace("-", "−")


class ForintField(models.BigIntegerField):
    """Whole forints in the database; its form field accepts them as people type them."""

    def formfield(self, **options):
        return super().formfield(**{"form_class": ForintFormField, **options})


class ForintFormField(forms.IntegerField):
    """Whole forints in a form."""

    def __init__(self, **options):
        super().__init__(**options)
        self.widget = forms.TextInput(attrs={"inputmode": "numeric", "class": "number"})

    def to_python(self, value):
        if value in self.empty_values or isinstance(value, int):
            return None if value in self.empty_values else value
        try:
            return parse(str(value))
        except ValueError as error:
            raise forms.ValidationError(str(error), code="invalid") from error

    def prepare_value(self, value):
        return to_text(value).replace(SPACE, " ").replace("−", "-") if isinstance(value, int) else value
