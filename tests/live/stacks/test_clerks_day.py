"""A clerk's way through the edge, the identity provider and both systems, made as a browser makes it."""

import re
from urllib.parse import urlsplit

import pytest

from inventory.register import load
from inventory.vault import vault
from tests.support.edge_client import EdgeClient, enrol, hidden

KSH, CLERK, READER = "16054", "minta.iktato", "minta.admin"
LESS, ELSEWHERE = "25159", "proba.kozos"  # a municipality without some of the systems, and a clerk who serves it
ABSENT = [system for system in load("test").systems if system not in load("test").municipality(LESS).systems]


@pytest.fixture(scope="module")
def clerks(register, tmp_path_factory):
    """Browsers of clerks: who registers in Sajószentpéter, who only reads there, and one of Bánhorváti's."""
    secrets, folder = vault.load(register), tmp_path_factory.mktemp("clerks")
    bare = EdgeClient(register, secrets)
    places = {CLERK: KSH, READER: KSH, ELSEWHERE: LESS}
    return {who: EdgeClient(register, secrets, enrol(bare, secrets, folder, who, ksh)) for who, ksh in places.items()}


@pytest.fixture
def origin(register):
    return register.municipality(KSH).origin


def test_the_certificate_opens_keret_and_offers_what_the_clerk_may_use(clerks, origin):
    page = clerks[CLERK].follow(f"{origin}/keret/")
    assert page.status == 200, page.body[:800]
    assert "Üdvözöljük, Minta Ilona!" in page.body
    assert re.findall('id="csempe-([a-z]+)"', page.body) == ["irat"]
    assert page.headers["cache-control"] == "no-store"


def test_irat_opens_from_there_and_checks_what_is_entered(clerks, origin):
    browser = clerks[CLERK]
    form = browser.follow(f"{origin}/irat/uj")
    assert (form.status, "Bejövő irat iktatása" in form.body) == (200, True)
    filled = {"csrfmiddlewaretoken": hidden(form.body, "csrfmiddlewaretoken"), "token": hidden(form.body, "token")}
    reply = browser.send(
        f"{origin}/irat/uj",
        {**filled, "sender": "", "subject": "x", "arrival": "post", "received_on": "2026-01-31"},
    )
    assert (reply.status, "Adja meg a küldő nevét." in reply.body) == (422, True), reply.body[:800]


def test_who_only_reads_finds_but_cannot_register(clerks, origin):
    browser = clerks[READER]
    page = browser.follow(f"{origin}/irat/?q=nincs-ilyen-irat")
    assert page.status == 200
    assert "Nincs a keresésnek megfelelő irat: „nincs-ilyen-irat”." in page.body
    assert 'id="uj-irat"' not in page.body
    answer = browser.get(f"{origin}/irat/uj")
    assert (answer.status, "Nincs jogosultsága" in answer.body) == (403, True)


def test_there_are_systems_that_a_municipality_lacks():
    assert ABSENT


@pytest.mark.parametrize("system", ABSENT)
def test_systems_that_a_municipality_lacks_say_so(clerks, register, system):
    page = clerks[ELSEWHERE].get(f"{register.municipality(LESS).origin}/{system}/")
    assert page.status == 404, page.body[:800]
    assert "Ez a rendszer ennél az önkormányzatnál nincs telepítve" in page.body


def test_signing_out_ends_the_session_here_and_at_the_provider(clerks, origin):
    browser = clerks[READER]
    home = browser.follow(f"{origin}/keret/")
    assert home.status == 200
    cookie = dict(browser._cookies[urlsplit(origin).hostname])["asp_keret"].value
    reply = browser.send(f"{origin}/keret/kilepes", {"csrfmiddlewaretoken": hidden(home.body, "csrfmiddlewaretoken")})
    assert reply.status == 302, reply.body[:800]
    page = browser.follow(reply.headers["location"])
    assert (page.status, "Sikeresen kijelentkezett" in page.body) == (200, True), page.body[:800]
    browser._cookies[urlsplit(origin).hostname]["asp_keret"] = cookie
    answer = browser.get(f"{origin}/keret/")
    assert (answer.status, "/keret/oidc/belepes" in answer.headers["location"]) == (302, True), "the session is gone"
