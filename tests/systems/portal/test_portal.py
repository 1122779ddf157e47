"""The public site: what visitors see, what only editors may do, and its history."""

import datetime as dt
import re
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from systems.exchange import feeding
from systems.portal.models import Change, Contact, Decree, News
from tests.systems.support import THEIRS


def text(page):
    return page.content.decode()


def hidden(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', text(page))[1]


def write(editor, kind, pk="uj", **values):
    """Send an editor's form with its page's hidden fields; returns the response."""
    url = f"/portal/szerkesztes/{kind}/{pk}"
    page = editor.get(url)
    assert page.status_code == 200
    return editor.post(url, {"token": hidden(page, "token"), "revision": hidden(page, "revision"), **values})


NEWS = {"title": "Falunap", "lead": "Szombaton.", "text": "# Program\n\n- tánc\n- <b>torna</b>", "since": "2026-01-02"}
DECREE = {
    "number": "12",
    "year": "2025",
    "passed_on": "2025-11-20",
    "title": "a közterületek rendjéről",
    "text": "1. § Tilos a tűzgyújtás.",
    "since": "2026-01-01",
}


@pytest.fixture
def editor(browse):
    return browse("portal", "szerkeszto")


@pytest.mark.parametrize("path", ["", "hirek/", "rendeletek/", "kozerdeku-adatok", "elerhetoseg", "uzletek"])
def test_pages_are_open_to_anybody_and_say_whose_they_are(browse, path):
    page = browse("portal").get(f"/portal/{path}")
    assert page.status_code == 200
    assert "Sajószentpéter" in text(page)
    assert "<h1>" in text(page)
    assert not page.cookies, "nothing is kept of a visitor"


def test_news_reach_visitors_when_they_are_published(browse, editor, serve):
    assert write(editor, "hir", **NEWS).status_code == 302
    assert "Falunap" not in text(browse("portal").get("/portal/"))
    with serve("portal"):
        pk = News.objects.get().pk
    assert write(editor, "hir", pk, **NEWS, published="on").status_code == 302
    page = text(browse("portal").get(f"/portal/hirek/{pk}"))
    assert "<h2>Program</h2>" in page and "<li>tánc</li>" in page
    assert "<b>torna" not in page and "&lt;b&gt;torna" in page
    assert browse("portal", ksh=THEIRS).get(f"/portal/hirek/{pk}").status_code == 404


def test_news_come_and_go_on_their_days_and_pinned_ones_stand_first(serve):
    today = timezone.localdate()
    day = dt.timedelta(days=1)
    with serve("portal"):
        for title, since, until, pinned in [
            ("régi", today - 9 * day, today - day, False),
            ("jövő", today + day, None, False),
            ("mai", today, today, False),
            ("kiemelt", today - 5 * day, None, True),
        ]:
            News.objects.create(title=title, text="t", since=since, until=until, pinned=pinned, published=True)
        News.objects.create(title="piszkozat", text="t", since=today)
        assert [news.title for news in News.objects.visible(today)] == ["kiemelt", "mai"]


def test_decrees_are_found_by_words_and_by_what_is_in_force(browse, editor):
    write(editor, "rendelet", **DECREE, published="on")
    old = {**DECREE, "number": "3", "title": "a régi díjakról", "until": "2026-01-31"}
    write(editor, "rendelet", **old, published="on")
    anybody = browse("portal")
    assert "12/2025. (XI. 20.) önkormányzati rendelet" in text(anybody.get("/portal/rendeletek/?q=TUZGYUJTAS"))
    assert "Nincs a keresésnek" in text(anybody.get("/portal/rendeletek/?q=sárkány"))
    assert "régi díjakról" not in text(anybody.get("/portal/rendeletek/"))
    assert "régi díjakról" in text(anybody.get("/portal/rendeletek/?mind=1&q=dij"))
    assert "visszavonásig" in text(anybody.get("/portal/rendeletek/2025/12"))
    assert "nem hatályos" in text(anybody.get("/portal/rendeletek/2025/3"))
    assert anybody.get("/portal/rendeletek/2025/99").status_code == 404


def test_a_decrees_number_is_given_once(editor, serve):
    assert write(editor, "rendelet", **DECREE).status_code == 302
    page = write(editor, "rendelet", **DECREE)
    assert (page.status_code, "Ilyen számú rendelet ebben az évben már van." in text(page)) == (422, True)
    page = write(editor, "rendelet", **{**DECREE, "number": "13", "until": "2025-01-01"})
    assert (page.status_code, "nem lehet korábbi" in text(page)) == (422, True)
    with serve("portal"):
        assert Decree.objects.count() == 1


def test_a_form_sent_twice_makes_one(editor, serve):
    page = editor.get("/portal/szerkesztes/hir/uj")
    values = {**NEWS, "token": hidden(page, "token"), "revision": "0"}
    first, second = (editor.post("/portal/szerkesztes/hir/uj", values) for _ in range(2))
    assert first["Location"] == second["Location"]
    with serve("portal"):
        assert (News.objects.count(), Change.objects.count()) == (1, 1)


def test_two_editors_do_not_overwrite_each_other(editor, serve):
    url = write(editor, "hir", **NEWS)["Location"]
    page = editor.get(url)
    data = {**NEWS, "token": hidden(page, "token"), "revision": hidden(page, "revision")}
    assert editor.post(url, {**data, "title": "Első"}).status_code == 302
    late = editor.post(url, {**data, "title": "Második"})
    assert (late.status_code, "Közben más módosította" in text(late)) == (422, True)
    with serve("portal"):
        assert News.objects.get().title == "Első"


def test_a_preview_keeps_nothing(editor, serve):
    page = write(editor, "hir", **NEWS, elonezet="1")
    assert (page.status_code, "még nincs mentve" in text(page), "<li>tánc</li>" in text(page)) == (200, True, True)
    with serve("portal"):
        assert News.objects.count() == 0


def test_contacts_are_one_page_with_its_history(browse, editor, serve, deliver, node):
    values = {"address": "Sajószentpéter, Kálvin tér 4.", "hours": "hétfő: 8.00–12.00", "published": "on"}
    assert "még nem tette közzé" in text(browse("portal").get("/portal/elerhetoseg"))
    assert write(editor, "elerhetoseg", 1, **values).status_code == 302
    assert write(editor, "elerhetoseg", 1, **{**values, "phone": "+36 48 000 000"}).status_code == 302
    assert "Kálvin tér" in text(browse("portal").get("/portal/elerhetoseg"))
    page = text(editor.get("/portal/szerkesztes/elerhetoseg/1/elozmenyek"))
    assert "+36 48 000 000" in page and "Minta Ilona" in page
    assert editor.get("/portal/szerkesztes/elerhetoseg/2").status_code == 404
    deliver()
    with node.superuser("t16054") as session:
        [(action, username)] = session.execute("SELECT DISTINCT action, username FROM keret.activity").fetchall()
    assert (action, username) == ("portál: elérhetőség szerkesztése", "minta.ilona")
    with serve("portal"):
        assert Contact.objects.count() == 1


@pytest.mark.parametrize("path", ["", "hir/", "hir/uj", "hir/1", "hir/1/elozmenyek", "elerhetoseg/1"])
def test_editing_is_for_editors_only(browse, path):
    to_sign_in = browse("portal").get(f"/portal/szerkesztes/{path}")["Location"]
    assert to_sign_in.endswith(f"belepes?{urlencode({'next': f'/portal/szerkesztes/{path}'})}")
    assert browse("portal").post(f"/portal/szerkesztes/{path}").status_code == 403
    assert browse("portal", "olvaso").get(f"/portal/szerkesztes/{path}").status_code == 403


def test_kinds_that_do_not_exist_are_not_found(editor):
    for path in ("nincs/", "nincs/uj", "hir/99", "hir/99/elozmenyek"):
        assert editor.get(f"/portal/szerkesztes/{path}").status_code == 404


def test_what_nobody_has_changed_yet_has_an_empty_history(editor, serve):
    with serve("portal"):
        pk = News.objects.create(title="Régi hír").pk
    assert "Még nem módosult." in text(editor.get(f"/portal/szerkesztes/hir/{pk}/elozmenyek"))


def test_history_is_only_added_to(editor, serve):
    write(editor, "hir", **NEWS)
    for sql in ("UPDATE change SET name = 'más'", "DELETE FROM change"):
        refusal = pytest.raises(DatabaseError, match="only ever added")
        with serve("portal"), refusal, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


TRADE = """
INSERT INTO iparker.entry (trader_name, trader_identifier, trader_address, activity, form, shop_name, site,
  opening_hours, alcohol, products, since, kind, year, serial, number, registered_on, search_text)
VALUES ('Minta Kft.', '12345676-1-05', 'Miskolc', 'élelmiszer', 'shop', 'Minta Bolt', 'Fő utca 1.',
  '', false, '[]', '2020-01-01', 'B', 2020, 1, 'B/2020/1', '2020-01-01', '')
"""


def test_the_register_of_trades_is_shown_when_it_is_shared(browse, node, monkeypatch):
    monkeypatch.setattr("systems.portal.views._has_system", lambda system, ksh: True)
    with node.superuser("t16054") as session:
        session.execute(TRADE)
    assert "Minta Bolt" in text(browse("portal").get("/portal/uzletek?q=ELELMISZER"))
    assert "Nincs ilyen" in text(browse("portal").get("/portal/uzletek?q=pékség"))
    with node.superuser("t16054") as session:
        session.execute("DROP VIEW iparker.public_register")
    assert "nem kérdezhető le" in text(browse("portal").get("/portal/uzletek"))


def test_the_feed_counts(editor, serve):
    write(editor, "hir", **NEWS, published="on")
    from systems.portal import feed

    with serve("portal"):
        rows = feed.rows(timezone.localdate())
    assert feeding.fault(rows) is None
    assert {row["measure"]: row["value"] for row in rows} == {
        "hír": 1,
        "hatályos rendelet": 0,
        "közérdekű adat": 0,
        "módosítás": 1,
    }
