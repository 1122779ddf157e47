"""A page as a soak's people read it and fill it in."""

import pytest

from tests.soak.page import NotThere, Page

BODY = """
<h1>Irat <span>IKT/2026/1-1</span></h1><p class="message error">Nem &amp; nem.</p>
<form method="get"><input name="q"><button>Keresés</button></form>
<form method="post" action="/irat/uj"><input type="hidden" name="token" value="a&amp;b"><input name="sender" value="X">
<select name="way"><option value="">válasszon</option><option value="post" selected>posta</option>
<option value="mail">e-mail</option></select><select name="first"><option value="1">egy</option>
<option value="2">kettő</option></select><textarea name="note">
két
sor</textarea><input type="checkbox" name="done" checked><input type="checkbox" name="open" value="1">
<input type="file" name="scan"><button>Mentés <b>most</b></button><button name="later" value="1">Később</button></form>
<dl><dt>Adószám</dt><dd class="number">12 <b>34</b></dd></dl>
<table><tr><td>Első</td><td><a href="/irat/irat/1">megnyitás</a></td></tr>
<tr><td>M&aacute;sodik</td><td><a href="/irat/irat/2">megnyitás</a></td></tr></table>
"""


@pytest.fixture
def page():
    return Page.read("https://a.asp.test/irat/?q=1", BODY)


def test_a_form_is_sent_with_what_stands_in_it(page):
    assert page.form("Mentés").filled({}, "Mentés") == [
        ("token", "a&b"), ("sender", "X"), ("way", "post"), ("first", "1"), ("note", "két\nsor"), ("done", "on"),
    ]  # fmt: skip


def test_values_replace_what_stood_there_and_none_unticks(page):
    fields = page.form("Mentés").filled({"sender": "Y", "done": None, "open": ["1"]}, "Mentés")
    assert ("sender", "Y") in fields and ("sender", "X") not in fields
    assert ("open", "1") in fields and "done" not in dict(fields)


def test_the_pressed_button_is_sent_and_no_other(page):
    assert ("later", "1") in page.form("Mentés").filled({}, "Később")
    assert "later" not in dict(page.form("Mentés").filled({}, "Mentés"))


def test_a_field_or_button_that_the_page_lacks_is_refused(page):
    with pytest.raises(NotThere, match="sendr"):
        page.form("Mentés").filled({"sendr": "Y"}, "Mentés")
    with pytest.raises(NotThere, match="Törlés"):
        page.form("Törlés")
    with pytest.raises(NotThere, match="subject"):
        page.form("Mentés").value("subject")


def test_choices_are_offered_without_the_empty_one(page):
    form = page.form("Mentés")
    assert (form.offers("way"), form.offers("first")) == (["post", "mail"], ["1", "2"])


def test_what_stands_on_the_page_is_read(page):
    assert (page.path, page.heading, page.error) == ("/irat/", "Irat IKT/2026/1-1", "Nem & nem.")
    assert page.term("Adószám") == "12 34"
    assert page.addresses("/irat/irat/") == ["/irat/irat/1", "/irat/irat/2"]
    assert page.row("Második").link("megnyitás") == "/irat/irat/2"
    assert page.has("Keresés") and not page.has("Törlés")


def test_a_row_that_is_not_there_is_missed(page):
    with pytest.raises(NotThere, match="Harmadik"):
        page.row("Harmadik")


def test_the_errors_of_a_form_are_the_pages_error():
    body = '<form><div class="summary" role="alert"><h2>Nincs mentve</h2><ul><li>Üres.</li></ul></div></form>'
    assert Page.read("https://a/", body).error == "Nincs mentve Üres."
