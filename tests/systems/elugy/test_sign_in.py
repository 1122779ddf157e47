"""Citizens sign in at their own realm, become citizens only, and sign out."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from centre.identity.citizens import client as client_at_keycloak
from systems.shell import sign_in as core
from tests.systems.elugy.provider import Provider
from tests.systems.elugy.support import IDENTIFIER, citizen


@pytest.fixture
def provider(monkeypatch):
    from django.conf import settings

    provider = Provider()
    core._keys.cache_clear()
    issuer = f"{provider.origin}/realms/asp"
    monkeypatch.setattr(settings, "ASP", replace(settings.ASP, issuer=issuer, back_channel=provider.origin))
    yield provider
    core._keys.cache_clear()
    provider.close()


def enter(client, provider, where="/elugy/ugyeim/"):
    """Sign in on the way to a page; returns the response to coming back."""
    start = client.get(client.get(where)["Location"])
    return client.get(provider.authorize(start["Location"]))


def text(page):
    return page.content.decode()


def test_a_citizen_signs_in_on_the_way_to_a_page_and_out_again(browse, provider):
    client = browse("elugy")
    assert enter(client, provider)["Location"] == "/elugy/ugyeim/"
    assert "Próba Piroska" in text(client.get("/elugy/ugyeim/"))
    cookie = client.cookies["asp_elugy"]
    assert (cookie["path"], cookie["secure"], cookie["httponly"]) == ("/elugy/", True, True)
    out = client.post("/elugy/ugyfel/kilepes")
    url = urlsplit(out["Location"])
    assert url.path == "/realms/ugyfel/protocol/openid-connect/logout"
    assert parse_qs(url.query)["post_logout_redirect_uri"] == ["https://sajoszentpeter.asp.test/elugy/kijelentkezve"]
    assert client.get("/elugy/ugyeim/").status_code == 302
    assert "Sikeresen kilépett" in text(client.get("/elugy/kijelentkezve"))


def test_a_session_that_begins_has_another_key_and_nothing_of_before(browse, provider):
    client = browse("elugy", "ugyintezo")
    before = client.cookies["asp_elugy"].value
    enter(client, provider)
    assert client.cookies["asp_elugy"].value != before
    assert client.get("/elugy/ugyintezo/").status_code == 302, "the clerk's session is over"


@pytest.mark.parametrize(
    "claims",
    [
        {"identifier": "8472765076"},
        {"identifier": None},
        {"iss": "https://id.elsewhere.test/realms/ugyfel"},
        {"aud": "t14915"},
        {"azp": "t14915"},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
    ],
)
def test_tokens_of_anything_else_let_nobody_in(browse, provider, claims):
    provider.claims = claims
    client = browse("elugy")
    page = enter(client, provider)
    assert (page.status_code, "Sikertelen belépés" in text(page)) == (403, True)
    assert client.get("/elugy/ugyeim/").status_code == 302
    provider.claims = {}
    assert enter(client, provider).status_code == 302


def test_a_token_with_a_foreign_signature_lets_nobody_in(browse, provider):
    provider.key = RSAKey.generate_key(2048, {"kid": "provider", "alg": "RS256"})
    assert enter(browse("elugy"), provider).status_code == 403


def test_an_answer_that_was_not_asked_for_is_refused(browse, provider):
    client = browse("elugy")
    start = client.get("/elugy/ugyfel/belepes")
    back = provider.authorize(start["Location"])
    assert browse("elugy").get(back).status_code == 403, "another browser"
    assert client.get(back.replace("state=", "state=x")).status_code == 403
    assert client.get(back).status_code == 403, "a state counts once, used or not"


def test_coming_back_twice_does_no_harm(browse, provider):
    client = browse("elugy")
    start = client.get("/elugy/ugyfel/belepes?next=https://elsewhere.test/")
    back = provider.authorize(start["Location"])
    assert client.get(back)["Location"] == "/elugy/", "and never to a foreign address"
    assert client.get(back)["Location"] == "/elugy/"


def test_a_session_ends_however_busy_its_citizen_is(serve):
    client = citizen()
    assert client.get("/elugy/ugyeim/").status_code == 200
    with serve("elugy"):
        session = client.session
        session["citizen"] = {**session["citizen"], "until": 1}
        session.save()
    assert client.get("/elugy/ugyeim/").status_code == 302


def test_signing_out_cannot_be_forged():
    client = citizen(IDENTIFIER)
    client.handler.enforce_csrf_checks = True
    assert client.post("/elugy/ugyfel/kilepes").status_code == 403
    assert client.get("/elugy/ugyfel/kilepes").status_code == 405
    assert client.get("/elugy/ugyeim/").status_code == 200


def test_keycloaks_client_leads_back_where_the_system_listens():
    from django.urls import reverse

    from inventory.register import load

    municipality = load("dev").municipality("16054")
    client_entry = client_at_keycloak(municipality, "s")
    assert client_entry["redirectUris"] == [municipality.origin + reverse("elugy:sign-in-complete")]
    assert client_entry["attributes"]["post.logout.redirect.uris"] == municipality.origin + reverse("elugy:signed-out")


def test_asking_to_sign_in_writes_no_session_into_the_municipalitys_database(browse, provider, node):
    """Each anonymous request left a row there, without a limit."""
    for _ in range(3):
        assert browse("elugy").get("/elugy/ugyfel/belepes").status_code == 302
    with node.superuser("t16054") as session:
        assert session.execute("SELECT count(*) FROM elugy.django_session").fetchone() == (0,)
