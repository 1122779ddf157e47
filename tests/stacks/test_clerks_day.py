"""A clerk's way through the edge, the identity provider and both systems, made as a browser makes it."""

import html
import re
from urllib.parse import urlencode, urlsplit

import pytest

from inventory import secrets as vault
from inventory.register import load
from tests.edge_client import EdgeClient, enrol

KSH, CLERK, READER = "16054", "minta.iktato", "minta.admin"


@pytest.fixture(scope="module")
def clerks(register, tmp_path_factory):
    """Browsers of two clerks of Sajószentpéter: who registers, and who only reads."""
    secrets, folder = vault.load(register), tmp_path_factory.mktemp("clerks")
    bare = EdgeClient(register, secrets)
    return {who: EdgeClient(register, secrets, enrol(bare, secrets, folder, who, KSH)) for who in (CLERK, READER)}


@pytest.fixture
def origin(register):
    return register.municipality(KSH).origin


def follow(browser, url, hops=12):
    """The page at which a browser ends up."""
    seen = []
    for _ in range(hops):
        reply = browser.get(url)
        seen.append(f"{reply.status} {urlsplit(url).netloc}{urlsplit(url).path}")
        if reply.status not in (301, 302, 303, 307, 308):
            return reply
        place = reply.headers["location"]
        url = place if "//" in place else f"{urlsplit(url).scheme}://{urlsplit(url).netloc}{place}"
    raise AssertionError(f"no end of redirects: {seen}")


def hidden(page, name):
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"no field {name}: {page[:800]}"
    return html.unescape(found[1])


def send(browser, url, form):
    """A form as a browser sends it from a page of the same host."""
    parts = urlsplit(url)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"{parts.scheme}://{parts.netloc}",
        "Referer": url,
    }
    return browser.request(parts.hostname, parts.path, "POST", headers, urlencode(form))


def test_the_certificate_opens_keret_and_offers_what_the_clerk_may_use(clerks, origin):
    page = follow(clerks[CLERK], f"{origin}/keret/")
    assert page.status == 200, page.body[:800]
    assert "Üdvözöljük, Minta Ilona!" in page.body
    assert re.findall('id="csempe-([a-z]+)"', page.body) == ["irat"]
    assert page.headers["cache-control"] == "no-store"


def test_irat_opens_from_there_and_checks_what_is_entered(clerks, origin):
    browser = clerks[CLERK]
    form = follow(browser, f"{origin}/irat/uj")
    assert (form.status, "Bejövő irat iktatása" in form.body) == (200, True)
    filled = {"csrfmiddlewaretoken": hidden(form.body, "csrfmiddlewaretoken"), "token": hidden(form.body, "token")}
    reply = send(
        browser,
        f"{origin}/irat/uj",
        {**filled, "sender": "", "subject": "x", "arrival": "post", "received_on": "2026-01-31"},
    )
    assert (reply.status, "Adja meg a küldő nevét." in reply.body) == (422, True), reply.body[:800]


def test_who_only_reads_finds_but_cannot_register(clerks, origin):
    browser = clerks[READER]
    page = follow(browser, f"{origin}/irat/?q=nincs-ilyen-irat")
    assert page.status == 200
    assert "Nincs a keresésnek megfelelő irat: „nincs-ilyen-irat”." in page.body
    assert 'id="uj-irat"' not in page.body
    refused = browser.get(f"{origin}/irat/uj")
    assert (refused.status, "Nincs jogosultsága" in refused.body) == (403, True)


@pytest.mark.parametrize("system", [system.id for system in load("test").systems.values() if not system.installed])
def test_other_systems_say_that_they_are_not_installed(clerks, origin, system):
    page = clerks[CLERK].get(f"{origin}/{system}/")
    assert page.status == 404
    assert "Ez a rendszer ennél az önkormányzatnál nincs telepítve" in page.body


def test_signing_out_ends_the_session_here_and_at_the_provider(clerks, origin):
    browser = clerks[READER]
    home = follow(browser, f"{origin}/keret/")
    assert home.status == 200
    begun = dict(browser._cookies[urlsplit(origin).hostname])["asp_keret"].value
    reply = send(browser, f"{origin}/keret/kilepes", {"csrfmiddlewaretoken": hidden(home.body, "csrfmiddlewaretoken")})
    assert reply.status == 302, reply.body[:800]
    page = follow(browser, reply.headers["location"])
    assert (page.status, "Sikeresen kijelentkezett" in page.body) == (200, True), page.body[:800]
    browser._cookies[urlsplit(origin).hostname]["asp_keret"] = begun
    stolen = browser.get(f"{origin}/keret/")
    assert (stolen.status, "/keret/oidc/belepes" in stolen.headers["location"]) == (302, True), "the session is gone"
