"""What an app server answers before any database is needed."""

import pytest
from django.test import Client

from tests.support.certificates import client_cert

OWN = {"Asp-Tenant": "16054", "Client-Cert": client_cert(("CN", "minta.iktato"), ("OU", "t16054"), ("O", "Minta"))}


@pytest.fixture
def browser(monkeypatch, settings_cookies_only):
    return Client(SERVER_NAME="sajoszentpeter.asp.test")


@pytest.fixture
def settings_cookies_only():
    """Sessions in signed cookies: these tests have no database."""
    from django.test import override_settings

    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies", STORAGES=PLAIN):
        yield


PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def test_alive_without_a_tenant(browser):
    assert browser.get("/healthz/live").json() == {"status": "live"}


def test_not_ready_without_the_pooler(browser):
    answer = browser.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["status"].startswith("pooler: ")


def test_a_request_past_the_edge_is_refused_in_hungarian(browser):
    answer = browser.get("/irat/", secure=True)
    assert answer.status_code == 421
    assert "A hozzáférés nem engedélyezett" in answer.content.decode()


def test_a_forged_tenant_is_refused(browser):
    answer = browser.get("/irat/", secure=True, headers={**OWN, "Asp-Tenant": "14915"})
    assert answer.status_code == 403


def test_a_foreign_host_is_refused(browser):
    answer = browser.get("/irat/", secure=True, headers={**OWN, "Host": "rossz.example"})
    assert answer.status_code == 400


def test_without_a_session_sign_in_begins_and_leads_back(browser):
    answer = browser.get("/irat/?q=a", secure=True, headers=OWN)
    assert answer.status_code == 302
    assert answer["Location"] == "/irat/oidc/belepes?next=%2Firat%2F%3Fq%3Da"


def test_sign_in_goes_to_the_tenants_own_client_with_pkce(browser):
    answer = browser.get("/irat/oidc/belepes?next=//rossz.example/", secure=True, headers=OWN)
    url = answer["Location"]
    assert url.startswith("https://id.asp.test/realms/asp/protocol/openid-connect/auth?")
    for part in ("client_id=t16054", "code_challenge_method=S256", "scope=openid+organization%3At16054", "nonce="):
        assert part in url
    assert browser.session["sign-in"]["next"] == "/irat/"


def test_a_code_with_an_unknown_state_is_refused(browser):
    answer = browser.get("/irat/oidc/callback?code=x&state=y", secure=True, headers=OWN)
    assert answer.status_code == 403
    assert "Sikertelen belépés" in answer.content.decode()


def test_pages_forbid_what_they_do_not_need(browser):
    answer = browser.get("/irat/oidc/callback", secure=True, headers=OWN)
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
