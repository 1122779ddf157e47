"""A clerk's input is checked with Hungarian messages, and searching ignores accents."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from systems.core.texts import fold
from systems.irat.forms import DocumentForm  # noqa: E402 - models need Django set up before they are imported
from systems.irat.models import Case, Register  # noqa: E402 - the same

RIGHT = {
    "token": str(uuid4()),
    "sender": "Minta Kft. (szintetikus)",
    "subject": "Kérelem",
    "arrival": "post",
    "received_on": "2026-01-31",
    "note": "",
}


def test_a_right_form_is_accepted():
    form = DocumentForm(RIGHT)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["received_on"] == date(2026, 1, 31)


@pytest.mark.parametrize("text", ["2026. 01. 31.", "2026.01.31."])
def test_a_day_may_be_written_as_hungarians_write_it(text):
    assert DocumentForm({**RIGHT, "received_on": text}).is_valid()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"sender": ""}, "sender", "Adja meg a küldő nevét."),
        ({"sender": "   "}, "sender", "Adja meg a küldő nevét."),
        ({"sender": "x" * 201}, "sender", "legfeljebb 200 karakter"),
        ({"subject": ""}, "subject", "Adja meg az irat tárgyát."),
        ({"received_on": ""}, "received_on", "Adja meg az érkezés napját."),
        ({"received_on": "tegnap"}, "received_on", "A dátum alakja: 2026-01-31."),
        ({"received_on": "0206-01-31"}, "received_on", "Ellenőrizze az évszámot."),
        ({"received_on": "jövő"}, "received_on", "Az érkezés napja nem lehet a jövőben."),
        ({"arrival": "galamb"}, "arrival", "Válasszon érvényes elemet. 'galamb' nincs az elérhető lehetőségek között."),
        ({"token": ""}, "token", "Az űrlap hiányos. Nyissa meg újra, és töltse ki ismét."),
        ({"token": "x"}, "token", "Az űrlap hiányos. Nyissa meg újra, és töltse ki ismét."),
    ],
)
def test_a_wrong_field_is_told_in_hungarian_at_its_place(changes, field, message):
    if changes.get("received_on") == "jövő":
        changes = {"received_on": (timezone.localdate() + timedelta(days=1)).isoformat()}
    form = DocumentForm({**RIGHT, **changes})
    assert list(form.errors) == [field]
    assert message in form.errors[field][0]


def test_every_form_has_a_token_of_its_own():
    assert DocumentForm()["token"].initial != DocumentForm()["token"].initial


def test_a_case_is_numbered_by_register_year_and_main_number():
    assert Case(register=Register(prefix="IKT", year=2026), main=12).number == "IKT/2026/12"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ÁRVÍZTŰRŐ Tükörfúrógép", "arvizturo tukorfurogep"),
        ("IKT/2026/12-3", "ikt/2026/12-3"),
        ("Иванов", "иванов"),
        ("", ""),
    ],
)
def test_folding_leaves_letters_without_accents_and_case(text, folded):
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)
