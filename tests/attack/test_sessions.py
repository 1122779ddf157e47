"""Sessions, cookies, forms' tokens and headers of the systems' pages."""

from __future__ import annotations

import re

import pytest

from tests.attack.browser import hidden
from tests.attack.registry import Tries, attack, control
from tests.attack.target import CLERK, Target

INSIDE = "Próba Támadó"


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    for system in ("keret", "helpdesk"):
        page = target.clerk(target.own, system).ask(target.own.host, f"/{system}/")
        control(page.status == 200 and INSIDE in page.text, page)


@attack("W01", "sessions", "a session of one municipality at another", short=True)
def test_session_at_another(target: Target, tries: Tries) -> None:
    for system in target.systems:
        if system not in target.register.systems_of(target.other):
            continue
        browser = target.holder(target.other)
        browser.cookies[target.other.host] = {f"asp_{system}": target.sessions(target.own, system, {"": ("x",)})[""]}
        answer = browser.ask(target.other.host, f"/{system}/")
        tries.holds(INSIDE not in answer.text, f"{system}: {answer}")


@attack("W02", "sessions", "a session of one system in another of the same municipality")
def test_session_in_another_system(target: Target, tries: Tries) -> None:
    key = target.sessions(target.own, "helpdesk", {"": ("bejelento",)})[""]
    for system in target.systems:
        if system == "helpdesk":
            continue
        browser = target.holder(target.own)
        browser.cookies[target.own.host] = {f"asp_{system}": key}
        answer = browser.ask(target.own.host, f"/{system}/")
        tries.holds(INSIDE not in answer.text, f"{system}: {answer}")


KEYS = {
    "empty": "",
    "short": "a",
    "null": "null",
    "quote": "' OR 1=1 --",
    "nul": "a%00b",
    "long": "a" * 5000,
    "dots": "../../x",
    "unicode": "\u0430" * 32,
    "json": '{"clerk": 1}',
    "pickle": "gASVCQAAAAAAAACMBGV4aXSUhZQu",
    "star": "*" * 32,
}


@attack("W03", "sessions", "a session key of the attacker's invention", KEYS, alike=True)
def test_invented_keys(target: Target, tries: Tries, way: str) -> None:
    for system in ("keret", *target.public_systems):
        browser = target.holder(target.own)
        answer = browser.ask(target.own.host, f"/{system}/", headers={"Cookie": f"asp_{system}={way}"})
        tries.holds(answer.status in (200, 302, 400, 403, 431) and INSIDE not in answer.text, f"{system}: {answer}")


@attack("W04", "sessions", "a session after its end: signed out, or removed", short=True)
def test_after_the_end(target: Target, tries: Tries) -> None:
    browser = target.clerk(target.own, "keret", ("felhasznalo",), "proba.kilepo")
    page = browser.get(f"{target.own.origin}/keret/")
    control(page.status == 200, page)
    before = dict(browser.cookies[target.own.host])
    browser.post(f"{target.own.origin}/keret/kilepes", hidden(page.text))
    browser.cookies[target.own.host] = before
    answer = browser.get(f"{target.own.origin}/keret/")
    tries.holds(answer.status == 302, answer)
    target.script("DELETE FROM keret.clerk WHERE username = 'proba.kilepo';")


@attack("W05", "sessions", "cookies that scripts, other paths or plain HTTP could get")
def test_cookie_flags(target: Target, tries: Tries) -> None:
    for system in target.systems:
        answer = target.holder(target.own).ask(target.own.host, f"/{system}/oidc/belepes")
        cookies = [value for name, value in answer.headers if name == "set-cookie"]
        control(cookies, answer)
        for cookie in cookies:
            low = cookie.lower()
            tries.holds("secure" in low and "samesite=" in low and "domain=" not in low, f"{system}: {cookie}")
            tries.holds("httponly" in low or "csrf" in low, f"{system}: {cookie}")
            tries.holds(f"path=/{system}/" in low, f"{system}: {cookie}")


@attack("W06", "sessions", "a cookie planted from a neighbouring host or path")
def test_planted_cookies(target: Target, tries: Tries) -> None:
    key = target.sessions(target.own, "keret", {"": ("x",)})[""]
    browser = target.holder(target.own, "proba.masik")
    for cookie in (f"asp_keret={key}; asp_keret=x", f"asp_keret=x; asp_keret={key}", f'asp_keret="{key}"'):
        answer = browser.ask(target.own.host, "/keret/", headers={"Cookie": cookie})
        tries.holds(INSIDE not in answer.text, answer)


FORMS = {
    "no-token": (lambda f: {k: v for k, v in f.items() if "csrf" not in k}, {}),
    "wrong-token": (lambda f: {**f, "csrfmiddlewaretoken": "a" * 64}, {}),
    "empty-token": (lambda f: {**f, "csrfmiddlewaretoken": ""}, {}),
    "other-origin": (lambda f: f, {"Origin": "https://evil.test", "Referer": "https://evil.test/"}),
    "null-origin": (lambda f: f, {"Origin": "null"}),
    "http-origin": (lambda f: f, {"Origin": "http://{own}"}),
    "other-municipality": (lambda f: f, {"Origin": "https://{other}", "Referer": "https://{other}/keret/"}),
    "no-token-json": (lambda f: {}, {"Content-Type": "application/json"}),
    "no-token-text": (lambda f: {}, {"Content-Type": "text/plain"}),
    "token-in-address": (lambda f: {}, {}),
}


@attack("W10", "sessions", "a form that another site sends in the clerk's name", FORMS, short=True)
def test_forged_form(target: Target, tries: Tries, way) -> None:
    change, headers = way
    browser = target.clerk(target.own, "helpdesk")
    url = f"{target.own.origin}/helpdesk/uj"
    page = browser.get(url)
    control("csrfmiddlewaretoken" in page.text, page)
    values = {name: value.format(own=target.own.host, other=target.other.host) for name, value in headers.items()}
    answer = browser.post(url, change({**hidden(page.text)}), headers=values)
    tries.holds(answer.status == 403, answer)


@attack("W11", "sessions", "a form's token of another browser")
def test_token_of_another(target: Target, tries: Tries) -> None:
    url = f"{target.own.origin}/helpdesk/uj"
    fields = hidden(target.clerk(target.own, "helpdesk").get(url).text)
    browser = target.clerk(target.own, "helpdesk")
    browser.cookies[target.own.host]["asp_helpdesk_csrf"] = "b" * 32
    tries.holds(browser.post(url, fields).status == 403, "accepted")
    del browser.cookies[target.own.host]["asp_helpdesk_csrf"]
    tries.holds(browser.post(url, fields).status == 403, "accepted without a cookie")


@attack("W12", "sessions", "a change by a mere link: GET on what only POST may do", short=True)
def test_change_by_link(target: Target, tries: Tries) -> None:
    browser = target.clerk(target.own, "keret")
    for path in (
        "/keret/kilepes",
        "/keret/felhasznalok/1/zarolas",
        "/keret/felhasznalok/1/feloldas",
        "/keret/jogok/1/visszavonas",
        "/keret/belepettek/1/kileptetes",
    ):
        answer = browser.ask(target.own.host, path)
        tries.holds(answer.status in (404, 405, 200) and browser.ask(target.own.host, "/keret/").status == 200, answer)
        tries.holds(answer.status != 302, f"{path}: {answer}")


PAGES = {
    "public": ("{public}", None),
    "staff": ("/keret/", "keret"),
    "missing": ("/keret/nincs-ilyen", "keret"),
    "refused": ("/keret/felhasznalok/", "keret"),
    "identity-missing": ("/portal/nincs", None),
}
HEADERS = {
    "content-security-policy": "default-src",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "strict-transport-security": "max-age",
    "cache-control": "no-store",
}


@attack("W20", "sessions", "a page without the headers that browsers need against misuse", PAGES)
def test_headers(target: Target, tries: Tries, way: tuple[str, str | None]) -> None:
    path, system = way
    browser = target.clerk(target.own, system, ("felhasznalo",)) if system else target.anyone()
    answer = browser.ask(target.own.host, path.format(public=f"/{target.public_systems[0]}/"))
    control(answer.status in (200, 403, 404), answer)
    for name, words in HEADERS.items():
        tries.holds(words in answer.header(name), f"{path}: {name}: {answer.header(name)!r}")
    policy = answer.header("content-security-policy")
    tries.holds("unsafe" not in policy and "frame-ancestors 'none'" in policy, policy)
    tries.holds(not answer.header("server") and not answer.header("x-powered-by"), answer.headers)


@attack("W21", "sessions", "another site's script reads a page: cross-origin permission")
def test_cross_origin(target: Target, tries: Tries) -> None:
    browser = target.clerk(target.own, "keret")
    for origin in ("https://evil.test", "null", target.other.origin):
        for method in ("GET", "OPTIONS"):
            answer = browser.ask(
                target.own.host, "/keret/", method, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            )
            tries.holds(not answer.header("access-control-allow-origin"), f"{origin}: {answer.headers}")


@attack("W22", "sessions", "inline scripts or foreign addresses on pages, which the policy would have to allow")
def test_inline(target: Target, tries: Tries) -> None:
    for system in target.systems:
        answer = target.clerk(target.own, system).ask(target.own.host, f"/{system}/")
        control(answer.status == 200, f"{system}: {answer}")
        tries.holds(not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", answer.text), f"{system}: inline script")
        tries.holds(not re.search(r'\son\w+="', answer.text), f"{system}: inline handler")
        tries.holds(
            not re.search(r'(src|action)="https?://(?!' + re.escape(target.own.host) + ")", answer.text), system
        )


@attack("W23", "sessions", "a forged name in the session's own certificate: session and certificate belong together")
def test_session_without_certificate(target: Target, tries: Tries) -> None:
    for system in target.systems:
        browser = target.anyone()
        browser.cookies[target.own.host] = {f"asp_{system}": target.sessions(target.own, system, {"": ("x",)})[""]}
        answer = browser.ask(target.own.host, f"/{system}/")
        tries.holds(INSIDE not in answer.text and CLERK not in answer.text, f"{system}: {answer}")
