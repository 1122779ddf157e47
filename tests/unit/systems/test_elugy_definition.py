"""Forms as data: wrong definitions are refused, answers decide what applies, and the catalogue is sound."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.register import load
from systems.elugy import catalogue
from systems.elugy.definition import Definition, Field, Kind, Step, When

forms = pytest.mark.parametrize("form", catalogue.ALL, ids=lambda form: f"{form.code}-{form.version}")


def definition(*steps):
    return Definition("proba", 1, "Próba", "", "", None, steps)


def answers_to(form):
    """Any answers at all to any of a form's questions."""
    values = st.one_of(st.booleans(), st.text(max_size=5), st.integers())
    answers = {}
    for step in form.steps:
        for question in step.fields:
            fitting = {
                Kind.YES_NO: st.booleans(),
                Kind.CHOICE: st.sampled_from([code for code, _ in question.choices] or [""]),
            }
            answers[question.name] = fitting.get(question.kind, values)
    return st.fixed_dictionaries({}, optional=answers)


@forms
@given(data=st.data())
def test_what_is_kept_is_what_is_asked(form, data):
    given_answers = data.draw(answers_to(form))
    answers = form.applicable_answers(given_answers)
    question = {field.name for step in form.path(answers) for field in step.applicable(answers)}
    assert set(answers) == question & set(given_answers)
    assert form.applicable_answers(answers) == answers
    assert all(answers[name] == given_answers[name] for name in answers)


@forms
def test_the_catalogue_is_sound(form):
    systems = load("dev").systems
    assert form.target is None or form.target in systems
    assert re.fullmatch("[a-z]+", form.code) and form.law and form.summary
    assert form.steps[0].slug == "ugyfel", "records wants the applicant's address"
    for step in form.steps:
        assert re.fullmatch("[a-z0-9-]+", step.slug)
        for question in step.fields:
            assert re.fullmatch("[a-z0-9_]+", question.name)
            assert question.label


def test_each_form_is_offered_once_in_its_newest_version():
    codes = [form.code for form in catalogue.current()]
    assert codes == ["hipa", "kereskedelem", "hagyatek", "altalanos"]
    assert catalogue.newest("nincs") is None
    with pytest.raises(KeyError):
        catalogue.get("hipa", 99)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([Step("a", "A", (Field("x", "x", when=When("y", (1,))),))], "no earlier step asks for 'y'"),
        ([Step("a", "A", (Field("x", "x"),), when=When("x", ("1",)))], "no earlier step asks for 'x'"),
        ([Step("a", "A", (Field("x", "x"),)), Step("b", "B", (Field("x", "x"),))], "two fields are named 'x'"),
        ([Step("a", "A", (Field("x", "x", Kind.CHOICE),))], "choices belong to fields of kind choice"),
        ([Step("a", "A", (Field("x", "x"),)), Step("a", "B", (Field("y", "y"),))], "the same slug"),
    ],
)
def test_a_wrong_definition_cannot_be_made(steps, says):
    definition(Step("jo", "Jó", (Field("z", "z"),)))
    with pytest.raises(ValueError, match=says):
        definition(*steps)


def test_answers_as_people_read_them():
    assert Field("x", "x", Kind.MONEY).to_text(1234567) == "1\u00a0234\u00a0567\u00a0Ft"
    assert Field("x", "x", Kind.MONEY).to_text(0) == "0\u00a0Ft"
    assert Field("x", "x", Kind.DAY).to_text("2026-01-31") == "2026. 01. 31."
    assert Field("x", "x", Kind.YES_NO).to_text(False) == "nem"
    assert Field("x", "x").to_text("") == "–"
    assert Field("x", "x", Kind.CHOICE, choices=(("a", "Alma"),)).to_text("a") == "Alma"
