"""The records system without a database: search folding and what the form refuses."""

import datetime as dt

import pytest


@pytest.fixture
def form():
    from systems.irat.forms import DocumentForm

    def build(**changes):
        data = {"sender": "Minta Kft.", "subject": "Kérelem", "arrival": "post", "received_on": "2026-01-31", **changes}
        return DocumentForm(data)

    return build


def test_a_complete_form_is_accepted_in_both_ways_of_writing_a_date(form):
    assert form().is_valid()
    assert form(received_on="2026. 01. 31.").is_valid()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sender", "", "Adja meg a küldő nevét."),
        ("subject", "", "Adja meg az irat tárgyát."),
        ("received_on", "", "Adja meg az érkezés napját."),
        ("received_on", "tegnap", "A dátum alakja: 2026-01-31."),
        ("received_on", (dt.date.today() + dt.timedelta(days=2)).isoformat(), "nem lehet a jövőben"),
    ],
)
def test_faults_are_named_in_hungarian(form, field, value, message):
    bad = form(**{field: value})
    assert not bad.is_valid()
    assert message in " ".join(bad.errors[field])


def test_search_ignores_accents_and_case():
    from systems.irat.models import fold

    assert fold("ÁRVÍZTŰRŐ Tükörfúrógép") == "arvizturo tukorfurogep"
