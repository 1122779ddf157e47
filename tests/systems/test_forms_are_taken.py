"""Whatever an electronic form accepts, the system that deals with it accepts too: no form gets stuck on the way."""

import datetime as dt
import uuid

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from systems.chain import relay, send
from systems.elugy import catalogue
from systems.elugy.definition import Kind

TARGETS = [form for form in catalogue.ALL if form.target]
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")  # what a Django form accepts
IDENTIFIERS = st.sampled_from(["8345671233", "12345676-1-05"])


def value(question):
    """Any answer that the form accepts."""
    today = timezone.localdate()
    match question.kind:
        case Kind.TEXT | Kind.LONG:
            text = st.text(LETTERS, min_size=1, max_size=40) | st.just("á" * question.length)
            return text.map(str.strip).filter(bool)
        case Kind.WHOLE | Kind.MONEY | Kind.YEAR:
            largest = today.year if question.kind is Kind.YEAR and question.most is None else question.most
            return st.integers(question.least, largest)
        case Kind.DAY:
            return st.dates(max_value=dt.date.max if question.future else today).map(dt.date.isoformat)
        case Kind.CHOICE:
            return st.sampled_from([code for code, _ in question.choices])
        case Kind.IDENTIFIER:
            return IDENTIFIERS
        case Kind.TAX_SIGN:
            return st.just("8345671233")
        case Kind.YES_NO:
            return st.booleans()
        case Kind.STATEMENT:
            return st.just(True)


@st.composite
def answers(draw, form):
    data = {}
    for step in form.steps:
        if step in form.path(data):
            for question in step.applicable(data):
                data[question.name] = draw(value(question) if question.required else st.none() | value(question))
            assume(not step.check(data))
    return data


# Pages that show the result, with the id of the newest.
PAGES = {
    "iparker": ("notification", ["bejelentesek/{}/", "bejelentesek/{}/adatok"]),
    "hagyatek": ("estate", ["leltar/{}/", "leltar/{}/adatok", "leltar/{}/leltar.pdf"]),
}
# A tax return's sums must agree, which random ones do not; tests/systems/ado covers them.
DRAWN = [form for form in TARGETS if form.target in PAGES]


def test_there_are_forms():
    assert {form.target for form in TARGETS} == {"ado", "iparker", "hagyatek"}


@pytest.mark.parametrize("form", DRAWN, ids=lambda form: f"{form.code}-{form.version}")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_it_is_taken_and_shown(serve, browse, form, data):
    key = str(uuid.uuid4())
    body = {
        "submission": key,
        "form": form.code,
        "title": form.title,
        "applicant": {"name": "Próba Piroska"},
        "data": data.draw(answers(form)),
        "target": form.target,
        "number": "IKT/2026/7-1",
        "submitted_at": timezone.now(),
    }
    with serve("irat"), transaction.atomic():
        send(form.target, "case", body, key=key)
    with serve(form.target):
        assert relay.deliver() == 1, body["data"]
        model, paths = PAGES[form.target]
        pk = apps.get_model(form.target, model).objects.get(submission=key).pk
    clerk = browse(form.target, "ugyintezo")
    assert [clerk.get(f"/{form.target}/{path.format(pk)}").status_code for path in paths] == [200] * len(paths)
