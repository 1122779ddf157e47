"""The systems speak Hungarian without misspellings, by the terms of the trade, and name the laws behind them."""

import subprocess
from functools import cache

import pytest
import yaml

from inventory import paths
from tests.support import wording

KNOWN = yaml.safe_load((paths.ROOT / "tests" / "unit" / "systems" / "terms.yaml").read_text(encoding="utf-8"))


@cache
def words_of(system):
    return " ".join(text for _, text in wording.texts(system)).lower()


@cache
def sources_of(system):
    files = (file for file in (wording.SYSTEMS / system).rglob("*.*") if file.suffix in (".py", ".html"))
    return "\0".join(file.read_text(encoding="utf-8") for file in files)


def misspelt(words):
    """Words that the Hungarian dictionary does not know."""
    command = ["hunspell", "-d", "hu_HU", "-i", "utf-8", "-l"]
    process = subprocess.run(command, input="\n".join(words), capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    return set(process.stdout.split())


def test_the_dictionary_knows_right_from_wrong():
    assert misspelt(["iktatószám", "iktatoszám", "helyettesítés", "helyetesítés"]) == {"iktatoszám", "helyetesítés"}


def test_every_word_that_people_read_is_spelt_right():
    places = {}
    for system in wording.systems():
        for file, text in wording.texts(system):
            for word in wording.WORD.findall(text):
                if not word.isupper():  # XII, PDF
                    places.setdefault(word, file.relative_to(paths.ROOT))
    assert len(places) > 1500, "the pages were read"
    wrong = misspelt(places) - set(KNOWN["words"])
    assert not wrong, "\n".join(f"{word}: {places[word]}" for word in sorted(wrong))
    superfluous = set(KNOWN["words"]) - places.keys()
    assert not superfluous, f"words of terms.yaml that no page has any more: {sorted(superfluous)}"


@pytest.mark.parametrize(
    ("system", "term"), [(system, term) for system, terms in KNOWN["terms"].items() for term in terms]
)
def test_a_system_uses_the_terms_of_its_trade(system, term):
    assert term.lower() in words_of(system)


@pytest.mark.parametrize(("system", "law"), list(KNOWN["laws"].items()))
def test_the_law_behind_a_system_is_named_where_it_works(system, law):
    assert law in sources_of(system)
