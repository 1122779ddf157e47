"""Sign-in, sign-out and offered systems: only members of the municipality, only their roles, only as themselves."""

import contextlib
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.errors import JoseError

from systems.core import clerk_access
from systems.core.clerk import Clerk
from systems.keret import views
from systems.keret.tiles import tiles
from systems.shell import activity, sign_in
from tests.unit.systems import support
from tests.unit.systems.support import HOST, ISSUER, browser, certificate

CLAIMS = {
    **support.CLAIMS,
    "family_name": "Minta",
    "given_name": "Ilona",
    "organization": ["t16054"],
    "resource_access": {
        "t16054": {"roles": ["keret.felhasznalo", "irat.iktato"]},
        "t14915": {"roles": ["irat.iktato"]},
    },
}


@pytest.fixture(autouse=True)
def events(monkeypatch):
    """Messages to the framework, kept in memory; tests/systems covers the database."""
    log = []
    for module in (views, sign_in, activity):
        monkeypatch.setattr(module.transaction, "atomic", contextlib.nullcontext)
    for module in (sign_in, activity):
        monkeypatch.setattr(module, "send", lambda target, topic, body, key: log.append((topic, body["username"])))
    monkeypatch.setattr(views, "end_sessions", lambda username, at: log.append(("sessions ended", username)))
    monkeypatch.setattr(views.facts, "of_tenant", views.facts.Facts)
    return log


def ids(page):
    text = page.content.decode()
    return [part.split('"')[0] for part in text.split('id="csempe-')[1:]]


def test_only_systems_with_a_role_are_offered():
    visitor = browser()
    visitor.enter("keret.felhasznalo", "irat.iktato", "ado.ugyintezo")
    page = visitor.get("/keret/")
    assert page.status_code == 200
    assert ids(page) == ["irat"], "ado is not installed, so a role in it offers nothing"
    assert "Minta Ilona" in page.content.decode()
    assert "Sajószentpéter" in page.content.decode()


def test_without_a_role_elsewhere_nothing_is_offered_and_it_is_said():
    visitor = browser()
    visitor.enter("keret.felhasznalo")
    page = visitor.get("/keret/")
    assert ids(page) == []
    assert "még egyetlen szakrendszerben sincs szerepköre" in page.content.decode()


def test_a_system_that_the_municipality_lacks_is_not_offered():
    from django.conf import settings

    clerk = Clerk("a", "A", ("irat.iktato",), "")
    assert [entry.id for entry in tiles(settings.ASP.catalogue, "16054", clerk)] == ["irat"]
    assert tiles(settings.ASP.catalogue, "29188", clerk) == []


def test_without_a_role_here_the_door_stays_shut():
    visitor = browser()
    visitor.enter("irat.iktato", "keretx.felhasznalo")
    page = visitor.get("/keret/")
    assert (page.status_code, "Nincs jogosultsága" in page.content.decode()) == (403, True)


def test_a_visitor_is_sent_to_sign_in_and_back():
    visitor = browser()
    response = visitor.get("/keret/?lap=2")
    assert (response.status_code, response["Location"]) == (302, "/keret/oidc/belepes?next=%2Fkeret%2F%3Flap%3D2")
    start = visitor.get(response["Location"])
    url = urlsplit(start["Location"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ISSUER}/protocol/openid-connect/auth"
    assert query["client_id"] == "t16054-keret"
    assert query["scope"] == "openid organization:t16054"
    assert query["redirect_uri"] == f"https://{HOST}/keret/oidc/callback"
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert query["code_challenge"] and query["nonce"] and query["state"]
    assert visitor.session[sign_in.KEY]["next"] == "/keret/?lap=2"


@pytest.mark.parametrize("target", ["https://elsewhere.test/", "//elsewhere.test/", "javascript:alert(1)", ""])
def test_sign_in_leads_back_to_this_host_only(target):
    visitor = browser()
    visitor.get("/keret/oidc/belepes", {"next": target})
    assert visitor.session[sign_in.KEY]["next"] == "/keret/"


@pytest.mark.parametrize("state", ["", "other"])
def test_an_answer_that_nobody_asked_for_is_refused(state):
    visitor = browser()
    visitor.get("/keret/oidc/belepes")
    page = visitor.get("/keret/oidc/callback", {"state": state, "code": "c"})
    assert (page.status_code, "Sikertelen belépés" in page.content.decode()) == (403, True)
    assert "clerk" not in visitor.session


def test_an_answer_to_an_attempt_of_another_browser_is_refused(monkeypatch):
    """Its code is good: somebody would be signed in as whoever sent them the address."""
    visitor = browser()
    visitor.get("/keret/oidc/belepes")
    monkeypatch.setattr(sign_in.OAuth2Session, "fetch_token", lambda *_, **__: {"id_token": "id-token"})
    monkeypatch.setattr(sign_in, "verify", lambda *_: CLAIMS)
    assert visitor.get("/keret/oidc/callback", {"state": "other", "code": "c"}).status_code == 403
    assert "clerk" not in visitor.session


def complete_sign_in(monkeypatch, visitor, claims):
    """Complete a sign-in whose ID token says `claims` (nonce and signature taken as right)."""
    visitor.get("/keret/oidc/belepes", {"next": "/keret/?x=1"})
    monkeypatch.setattr(sign_in.OAuth2Session, "fetch_token", lambda *_, **__: {"id_token": "id-token"})
    monkeypatch.setattr(sign_in, "verify", lambda *_: claims)
    state = visitor.session[sign_in.KEY]["state"]
    return visitor.get("/keret/oidc/callback", {"state": state, "code": "c"})


def test_a_clerk_of_the_municipality_is_let_in_as_themselves(monkeypatch, events):
    visitor = browser()
    response = complete_sign_in(monkeypatch, visitor, CLAIMS)
    assert (response.status_code, response["Location"]) == (302, "/keret/?x=1")
    clerk = visitor.session["clerk"]
    assert (clerk["username"], clerk["name"]) == ("minta.iktato", "Minta Ilona")
    assert clerk["roles"] == ["irat.iktato", "keret.felhasznalo"], "roles at this municipality, none of another's"
    assert sign_in.KEY not in visitor.session
    assert events == [("signed-in", "minta.iktato")]
    assert visitor.get("/keret/").status_code == 200
    repeat = visitor.get("/keret/oidc/callback", {"state": "old", "code": "c"})
    assert (repeat.status_code, repeat["Location"]) == (302, "/keret/"), "a step back in the browser is no failure"


def test_roles_are_of_one_system_and_not_of_one_whose_name_begins_alike():
    clerk = Clerk("minta.iktato", "Minta Ilona", ("irat.iktato", "iratok.olvaso"), "id-token")
    assert (clerk.roles_in("irat"), clerk.roles_in("ira")) == ({"iktato"}, set())


def test_a_locked_clerk_is_not_let_in(monkeypatch, events):
    locked = clerk_access.ClerkAccess(True, None, False, ())
    monkeypatch.setattr(clerk_access, "fetch", lambda username: locked)
    visitor = browser()
    page = complete_sign_in(monkeypatch, visitor, CLAIMS)
    assert (page.status_code, "Zárolt felhasználó" in page.content.decode()) == (403, True)
    assert ("clerk" in visitor.session, events) == (False, [])


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"preferred_username": "minta.admin"}, "the certificate is not of the clerk who signed in"),
        ({"organization": ["t14915"]}, "not a member of the municipality's organization"),
        ({"organization": {"t14915": {}}}, "not a member of the municipality's organization"),
        ({"organization": None}, "not a member of the municipality's organization"),
    ],
)
def test_somebody_else_is_not_let_in(monkeypatch, caplog, changes, cause):
    visitor = browser()
    page = complete_sign_in(monkeypatch, visitor, {**CLAIMS, **changes})
    assert (page.status_code, "Sikertelen belépés" in page.content.decode()) == (403, True)
    assert f"sign-in refused: SignInRefusal: {cause}" in caplog.text
    assert "clerk" not in visitor.session


def test_an_identity_provider_without_an_answer_is_a_failed_sign_in(monkeypatch, caplog):
    visitor = browser()
    visitor.get("/keret/oidc/belepes")
    state = visitor.session[sign_in.KEY]["state"]
    page = visitor.get("/keret/oidc/callback", {"state": state, "error": "access_denied"})
    assert page.status_code == 403
    assert "no code: access_denied" in caplog.text


def test_claims_of_this_sign_in_are_believed():
    sign_in.check_claims(dict(CLAIMS), "t16054", "nonce")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iss": "https://id.elsewhere.test/realms/asp"}, "iss"),
        ({"aud": "t14915-keret"}, "aud"),
        ({"aud": "t16054-irat"}, "aud"),
        ({"nonce": "another"}, "nonce"),
        ({"exp": 1_000_000_000}, "expired"),
        ({"azp": "t14915-keret"}, "issued for another client"),
        ({"preferred_username": None}, "preferred_username"),
    ],
)
def test_claims_of_anything_else_are_not(changes, message):
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    with pytest.raises((JoseError, sign_in.SignInRefusal), match=message):
        sign_in.check_claims(claims, "t16054", "nonce")


@pytest.mark.parametrize(("ago", "expected"), [(0, True), (20, True), (40, False)])
def test_a_token_is_believed_half_a_minute_after_its_end(ago, expected):
    """Clocks may differ so much and no more."""
    claims = CLAIMS | {"exp": int(time.time()) - ago}
    if expected:
        sign_in.check_claims(claims, "t16054", "nonce")
    else:
        with pytest.raises(JoseError, match="expired"):
            sign_in.check_claims(claims, "t16054", "nonce")


def test_a_session_ends_after_half_a_day_however_busy_the_clerk_is(monkeypatch):
    visitor = browser()
    complete_sign_in(monkeypatch, visitor, CLAIMS)
    data = visitor.session["clerk"]
    assert 12 * 3600 - 1 <= data["until"] - data["since"] <= 12 * 3600
    tenant = SimpleNamespace(bearer=SimpleNamespace(username=data["username"]))
    monkeypatch.setattr(clerk_access, "fetch", lambda username: None)
    for seconds, is_in in ((60, True), (-60, False)):
        session = {"clerk": data | {"until": time.time() + seconds}}
        assert bool(Clerk.from_session(SimpleNamespace(session=session, tenant=tenant))) is is_in


def test_a_session_serves_only_its_own_clerks_certificate():
    visitor = browser()
    visitor.enter("keret.felhasznalo", username="minta.admin")
    assert visitor.get("/keret/").status_code == 302
    visitor = browser(HTTP_CLIENT_CERT=certificate(username="minta.admin"))
    visitor.enter("keret.felhasznalo", username="minta.admin")
    assert visitor.get("/keret/").status_code == 200


def test_a_session_ends_however_busy_its_clerk_is():
    visitor = browser()
    visitor.enter("keret.felhasznalo", until=int(time.time()) - 1)
    assert visitor.get("/keret/")["Location"].startswith("/keret/oidc/belepes")
    page = visitor.post("/keret/kilepes")
    assert (page.status_code, "Lejárt a munkamenet" in page.content.decode()) == (403, True)


def test_signing_out_ends_it_here_in_every_system_and_at_the_provider(events):
    visitor = browser()
    visitor.enter("keret.felhasznalo")
    response = visitor.post("/keret/kilepes")
    url = urlsplit(response["Location"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ISSUER}/protocol/openid-connect/logout"
    assert query == {
        "client_id": "t16054-keret",
        "id_token_hint": "id-token",
        "post_logout_redirect_uri": f"https://{HOST}/keret/kijelentkezve",
    }
    for system in ("keret", "irat"):
        cookie = response.cookies[f"asp_{system}"]
        assert (cookie.value, cookie["path"], cookie["max-age"]) == ("", f"/{system}/", 0)
    assert events == [("sessions ended", "minta.iktato"), ("activity", "minta.iktato")]
    assert "Sikeresen kijelentkezett" in visitor.get("/keret/kijelentkezve").content.decode()


def test_signing_out_cannot_be_forged():
    from django.test import Client

    visitor = browser()
    visitor.handler.enforce_csrf_checks = True
    assert isinstance(visitor, Client)
    visitor.enter("keret.felhasznalo")
    page = visitor.post("/keret/kilepes")
    assert (page.status_code, "Az űrlap lejárt" in page.content.decode()) == (403, True)


def test_cookies_go_to_their_own_system_only():
    visitor = browser()
    cookie = visitor.get("/keret/oidc/belepes").cookies["asp_keret"]
    assert (cookie["path"], cookie["secure"], cookie["httponly"], cookie["samesite"]) == ("/keret/", True, True, "Lax")
    assert cookie["max-age"] == 30 * 60
