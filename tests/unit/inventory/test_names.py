"""Names and hosts hold for the whole list of settlements (property tests)."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.gazetteer import settlements
from inventory.names import Names, slugify

LABEL = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
HUNGARIAN = st.text(alphabet="aábcdeéfghiíjklmnoóöőpqrstuúüűvwxyz -.", max_size=40)
# A busy machine is no fault, and nothing is left in the working tree.
relaxed = settings(deadline=None, database=None)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


def test_every_settlement_has_a_host_name():
    slugs = [settlement.slug for settlement in settlements().values()]
    assert len(slugs) == 3178 and all(LABEL.match(slug) and len(slug) <= 63 for slug in slugs)


def test_only_the_known_names_collide():
    folded: dict[str, list[str]] = {}
    for settlement in settlements().values():
        folded.setdefault(settlement.slug, []).append(settlement.name)
    assert sorted(sorted(names) for names in folded.values() if len(names) > 1) == [
        ["Komló", "Kömlő"],
        ["Komoró", "Kömörő"],
    ]


@relaxed
@given(TEXT)
def test_a_slug_is_a_host_label_and_its_own_slug(text):
    slug = slugify(text)
    assert slug == "" or LABEL.match(slug)
    assert slugify(slug) == slug


@relaxed
@given(HUNGARIAN)
def test_a_slug_does_not_depend_on_case(text):
    assert slugify(text.upper()) == slugify(text)


@relaxed
@given(st.sampled_from(["dev", "test"]), st.sampled_from(["edge", "identity", "pki"]))
def test_names_carry_the_environment(env, service):
    assert Names(env, "10.61.0.0/16").daemon_name(service).startswith(f"asp-{env}-")
