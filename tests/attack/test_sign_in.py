"""Sign-in: codes, states, addresses to return to, passwords. Citizens sign in with their password, clerks by policy."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import pytest

from stacks.configs.citizen_realm import REALM as CITIZENS
from stacks.configs.realm import REALM
from tests.attack.browser import Browser, action
from tests.attack.registry import Tries, Untried, attack, control
from tests.attack.target import Target
from tests.attack.test_keycloak import clear_failures
from tests.attack.wire import Answer
from tests.support.edge_client import EdgeClient

FAILED = "Sikertelen belépés"


def citizens_form(target: Target, browser: Browser | None = None) -> tuple[Browser, str]:
    """A browser at the citizens' sign-in form, and where the form is sent."""
    browser = browser or target.anyone()
    page, address = browser.follow(f"{target.own.origin}/elugy/ugyfel/belepes")
    control(page.status == 200 and 'name="password"' in page.text, f"{address}: {page}")
    return browser, urljoin(address, action(page.text))


def to_code(target: Target, browser: Browser | None = None) -> tuple[Browser, str]:
    """A citizen's own password typed; the address, with its code, to which the browser is now sent."""
    if not target.register.environment.citizens:
        raise Untried("the environment has no citizens")
    citizen = target.register.environment.citizens[0]
    browser, address = citizens_form(target, browser)
    form = {"username": citizen.username, "password": target.secrets.citizen_password(citizen)}
    answer = browser.post(address, form)
    place = answer.header("location")
    control(answer.status == 302 and "code=" in place, answer)
    return browser, place


def signed_in(target: Target, browser: Browser) -> bool:
    """Whether a citizen's own pages open."""
    return browser.get(f"{target.own.origin}/elugy/ugyeim/").status == 200


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    if "elugy" not in target.systems:
        raise Untried("the municipality has no e-administration")
    clear_failures(target)
    browser, place = to_code(target)
    browser.get(place)
    control(signed_in(target, browser), "a citizen signs in with their password")


def changed(url: str, **values: str | None) -> str:
    """An address with other parameters; None removes one."""
    parts = urlsplit(url)
    query = {name: value[0] for name, value in parse_qs(parts.query, keep_blank_values=True).items()}
    query = {name: value for name, value in {**query, **values}.items() if value is not None}
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(query)}"


@attack("S01", "sign-in", "a code used twice, in the same browser and in another", short=True)
def test_code_replay(target: Target, tries: Tries) -> None:
    browser, place = to_code(target)
    own_cookies = dict(browser.cookies[target.own.host])
    control(browser.get(place).status == 302, "first use")
    for cookies in (own_cookies, {}):
        other = target.anyone()
        other.cookies[target.own.host] = dict(cookies)
        answer = other.get(place)
        tries.holds(FAILED in answer.text or answer.status in (400, 403), answer)
        tries.holds(not signed_in(target, other), "signed in by a used code")


@attack("S02", "sign-in", "a stolen code brought by another browser", short=True)
def test_stolen_code(target: Target, tries: Tries) -> None:
    _, place = to_code(target)
    thief = target.anyone()
    thief.get(f"{target.own.origin}/elugy/ugyfel/belepes")  # a sign-in of their own, with its own state
    for url in (place, changed(place, state=None)):
        answer = thief.get(url)
        tries.holds(FAILED in answer.text or answer.status in (400, 403), answer)
    own = target.anyone()
    redirect = own.get(f"{target.own.origin}/elugy/ugyfel/belepes").header("location")
    state = parse_qs(urlsplit(redirect).query)["state"][0]
    answer = own.get(changed(place, state=state))  # right state, wrong verifier and nonce
    tries.holds(not signed_in(target, own), answer)


CALLBACKS = {
    "no-state": {"state": None},
    "empty-state": {"state": ""},
    "other-state": {"state": "x" * 30},
    "no-code": {"code": None},
    "wrong-code": {"code": "x.y.z"},
    "error": {"code": None, "error": "access_denied"},
    "script": {"code": None, "error": "<script>alert(1)</script>", "error_description": "<script>alert(1)</script>"},
    "other-issuer": {"iss": "https://evil.test/realms/ugyfel", "code": "x"},
    "nul": {"code": "\x00", "state": "\x00"},
}


@attack("S03", "sign-in", "a return from sign-in that was tampered with", CALLBACKS)
def test_callback(target: Target, tries: Tries, way: dict[str, str | None]) -> None:
    browser, place = to_code(target)
    answer = browser.get(changed(place, **way))
    tries.holds(answer.status in (400, 403), answer)
    tries.holds("<script>alert" not in answer.text, "echoes a script")
    tries.holds(not signed_in(target, browser), "signed in")


@attack("S04", "sign-in", "one municipality's code at another's address")
def test_code_at_another(target: Target, tries: Tries) -> None:
    _, place = to_code(target)
    browser = target.anyone()
    redirect = browser.get(f"{target.other.origin}/elugy/ugyfel/belepes")
    if redirect.status != 302:
        raise Untried(f"{target.other.name}: {redirect}")
    state = parse_qs(urlsplit(redirect.header("location")).query)["state"][0]
    answer = browser.get(changed(place, state=state).replace(target.own.origin, target.other.origin))
    tries.holds(answer.status in (400, 403), answer)
    tries.holds(browser.get(f"{target.other.origin}/elugy/ugyeim/").status != 200, "signed in at the other's")


@attack("S05", "sign-in", "a citizen's code at the clerks' sign-in")
def test_citizens_code_for_clerks(target: Target, tries: Tries) -> None:
    _, place = to_code(target)
    code = parse_qs(urlsplit(place).query)["code"][0]
    clerk = target.holder(target.own)
    redirect = clerk.get(f"{target.own.origin}/keret/oidc/belepes")
    control(redirect.status == 302, redirect)
    state = parse_qs(urlsplit(redirect.header("location")).query)["state"][0]
    answer = clerk.get(f"{target.own.origin}/keret/oidc/callback?{urlencode({'code': code, 'state': state})}")
    tries.holds(answer.status in (400, 403), answer)


@attack("S06", "sign-in", "a session that the attacker chose before the victim signed in", short=True)
def test_fixation(target: Target, tries: Tries) -> None:
    attacker = target.anyone()
    attacker.get(f"{target.own.origin}/elugy/ugyfel/belepes")
    for session in (attacker.cookies[target.own.host].get("asp_elugy", ""), "a" * 32):
        victim = target.anyone()
        victim.cookies[target.own.host] = {"asp_elugy": session}
        victim, place = to_code(target, victim)
        victim.get(place)
        control(signed_in(target, victim), "the victim signs in")
        tries.holds(victim.cookies[target.own.host]["asp_elugy"] != session, "the planted session was kept")
        attacker.cookies[target.own.host] = {"asp_elugy": session}
        tries.holds(not signed_in(target, attacker), "the attacker is signed in")


NEXT = {
    "other-host": "https://evil.test/",
    "no-scheme": "//evil.test/",
    "backslash": "/\\evil.test/",
    "three": "///evil.test",
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "user": "https://{own}@evil.test/",
    "http": "http://{own}/elugy/",
    "line-end": "/elugy/\r\nSet-Cookie: x=1",
    "other-municipality": "https://{other}/elugy/",
    "tab": "/\t/evil.test",
    "suffix": "https://{own}.evil.test/",
    "encoded": "%2f%2fevil.test",
}


@attack("S07", "sign-in", "an address elsewhere to which sign-in should return", NEXT, short=True, alike=True)
def test_open_redirect(target: Target, tries: Tries, way: str) -> None:
    destination = way.format(own=target.own.host, other=target.other.host)
    browser = target.anyone()
    page, address = browser.follow(f"{target.own.origin}/elugy/ugyfel/belepes?next={quote(destination, safe='')}")
    control('name="password"' in page.text, page)
    citizen = target.register.environment.citizens[0]
    answer = browser.post(
        urljoin(address, action(page.text)),
        {"username": citizen.username, "password": target.secrets.citizen_password(citizen)},
    )
    control(answer.status == 302, answer)
    back = browser.get(answer.header("location"))
    place = urljoin(answer.header("location"), back.header("location"))
    tries.holds(back.status == 302 and urlsplit(place).hostname == target.own.host, f"{back.status} → {place}")
    tries.holds(urlsplit(place).scheme == "https" and not back.header("set-cookie").startswith("x=1"), place)


def client_of(target: Target, realm: str) -> str:
    """A client of the realm: one system's at one municipality."""
    return f"{target.own.tenant}-{'elugy' if realm == CITIZENS else 'keret'}"


def authorization(
    target: Target, realm: str = CITIZENS, callback: str = "elugy/ugyfel/callback", **changes: str | None
) -> str:
    """An address at which a sign-in begins."""
    query: dict[str, str | None] = {
        "client_id": f"{target.own.tenant}-{callback.partition('/')[0]}",
        "response_type": "code",
        "scope": "openid",
        "state": "x",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
        "redirect_uri": f"{target.own.origin}/{callback}",
        **changes,
    }
    text = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{target.identity}/realms/{realm}/protocol/openid-connect/auth?{text}"


REDIRECTS = {
    "other-municipality": "https://{other}/elugy/ugyfel/callback",
    "evil": "https://evil.test/callback",
    "http": "http://{own}/elugy/ugyfel/callback",
    "path-behind": "https://{own}/elugy/ugyfel/callback/../../../x",
    "other-path": "https://{own}/portal/",
    "user": "https://{own}@evil.test/elugy/ugyfel/callback",
    "suffix": "https://{own}.evil.test/elugy/ugyfel/callback",
    "port": "https://{own}:8443/elugy/ugyfel/callback",
    "fragment": "https://{own}/elugy/ugyfel/callback#x",
    "wildcard": "https://*/elugy/ugyfel/callback",
    "out-of-band": "urn:ietf:wg:oauth:2.0:oob",
    "none": None,
    "script": "javascript:alert(1)",
    "encoded-dots": "https://{own}/elugy/ugyfel/callback/%2e%2e/%2e%2e/x",
}


@attack("S08", "sign-in", "a code sent to an address that is not the system's own", REDIRECTS, short=True)
def test_redirect_address(target: Target, tries: Tries, way: str | None) -> None:
    place = way and way.format(own=target.own.host, other=target.other.host)
    for realm in (CITIZENS, REALM):
        answer = target.anyone().get(authorization(target, realm, redirect_uri=place))
        tries.holds(answer.status in (400, 403, 404), f"{realm}: {answer}")
        tries.holds(not answer.header("location"), f"{realm}: {answer.header('location')}")


FLOWS = {
    "implicit-token": {"response_type": "token"},
    "implicit-id": {"response_type": "id_token", "nonce": "x"},
    "hybrid": {"response_type": "code id_token", "nonce": "x"},
    "no-pkce": {"code_challenge": None, "code_challenge_method": None},
    "plain-pkce": {"code_challenge_method": "plain"},
    "other-client": {"client_id": "account-console"},
    "unknown-client": {"client_id": "nincs"},
    "request-object": {"request": "eyJhbGciOiJub25lIn0.e30."},
    "request-address": {"request_uri": "http://evil.test/"},
    "script-in-state": {"state": "<script>alert(1)</script>"},
    "prompt-create": {"prompt": "create"},
    "identity-hint": {"kc_idp_hint": "evil"},
}


@attack("S09", "sign-in", "another flow than code with PKCE", FLOWS)
def test_flows(target: Target, tries: Tries, way: dict[str, Any]) -> None:
    for realm in (CITIZENS, REALM):
        answer = target.anyone().get(authorization(target, realm, **way))
        place = answer.header("location")
        grant = re.search(r"[?#&](code|access_token|id_token)=", place)
        tries.holds(not grant, f"{realm}: {place}")
        tries.holds("<script>alert" not in answer.text, f"{realm}: echoes a script")
        if "state" not in way and "kc_idp_hint" not in way:
            form = answer.status == 200 and 'name="password"' in answer.text
            tries.holds(not form or "prompt" in way, f"{realm}: the form is shown: {answer}")


@attack("S10", "sign-in", "signing out leads elsewhere")
def test_sign_out_redirect(target: Target, tries: Tries) -> None:
    for realm in (CITIZENS, REALM):
        for place in ("https://evil.test/", f"{target.other.origin}/keret/", "javascript:alert(1)"):
            query = urlencode({"client_id": client_of(target, realm), "post_logout_redirect_uri": place})
            answer = target.anyone().get(f"{target.identity}/realms/{realm}/protocol/openid-connect/logout?{query}")
            tries.holds(not answer.header("location").startswith(place), f"{realm}: {answer}")


@attack(
    "S11",
    "sign-in",
    "registering, resetting a password, and other doors of the form",
    {
        "registration": "registration",
        "reset": "reset-credentials",
        "first-broker": "first-broker-login",
        "required-action": "required-action?execution=UPDATE_PASSWORD",
        "action-token": "action-token?key=x",
        "detached": "detached-info",
    },
)
def test_other_doors(target: Target, tries: Tries, way: str) -> None:
    for realm in (CITIZENS, REALM):
        join = "&" if "?" in way else "?"
        url = f"{target.identity}/realms/{realm}/login-actions/{way}{join}client_id={client_of(target, realm)}"
        answer = target.anyone().get(url)
        form = answer.status == 200 and re.search(r'name="(email|firstName|password-new)"', answer.text)
        tries.holds(not form and answer.status < 500, f"{realm}: {answer}")


@attack("S12", "sign-in", "clerks: a password form for somebody without a certificate", short=True)
def test_form_without_certificate(target: Target, tries: Tries) -> None:
    answer, _ = target.anyone().follow(authorization(target, REALM, "keret/oidc/callback"))
    tries.holds('name="password"' not in answer.text and 'name="otp"' not in answer.text, answer)
    other, _ = target.holder(target.other, "proba.nincs").follow(authorization(target, REALM, "keret/oidc/callback"))
    tries.holds('name="username"' not in other.text, other)


@attack("S13", "sign-in", "clerks: the certificate alone signs in", short=True)
def test_certificate_alone(target: Target, tries: Tries) -> None:
    for municipality in (target.own, target.other):
        clerk = target.real_clerk(municipality)
        browser = target.holder(municipality, clerk)
        answer, address = browser.follow(f"{municipality.origin}/keret/")
        inside = answer.status == 200 and urlsplit(address).path.startswith("/keret/")
        tries.holds(not inside, f"{clerk} is inside {address} with nothing but the certificate")


@attack("S14", "sign-in", "clerks: another clerk's name typed beside one's own certificate")
def test_other_name(target: Target, tries: Tries) -> None:
    clerks = {c.username for office in target.register.offices.values() for c in office.clerks}
    mine = target.real_clerk(target.own)
    browser = target.holder(target.own, mine)
    for victim in sorted(clerks - {mine}):
        answer, address = browser.follow(authorization(target, REALM, "keret/oidc/callback", login_hint=victim))
        tries.holds(victim not in answer.text or 'name="username"' not in answer.text, answer)
        control(address, "")


@attack("S15", "sign-in", "a stranger locks a clerk out by wrong passwords", short=True)
def test_lock_out_of_a_clerk(target: Target, tries: Tries) -> None:
    victim = target.real_clerk(target.other)
    try:
        control(gets_in(target, victim), f"{victim} signs in before the attack")
        stranger = target.anyone()
        for _ in range(7):
            page, address = stranger.follow(authorization(target, REALM, "keret/oidc/callback"))
            place = action(page.text)
            if 'name="password"' not in page.text or not place:
                tries.holds(True, "no form for strangers")
                continue
            stranger.post(urljoin(address, place), {"username": victim, "password": "rossz jelszó"})
        tries.holds(gets_in(target, victim), f"{victim} cannot sign in after seven wrong passwords of a stranger")
    finally:
        clear_failures(target)


def gets_in(target: Target, clerk: str) -> bool:
    """Whether a clerk still signs in with all that policy asks of them."""
    browser = EdgeClient(target.register, target.secrets, target.certificate(target.other, clerk))
    page = browser.follow(f"{target.other.origin}/keret/")
    return page.status == 200 and page.url.startswith(f"{target.other.origin}/keret/")


@attack("S16", "sign-in", "a stranger locks a citizen out by wrong passwords", short=True)
def test_lock_out_of_a_citizen(target: Target, tries: Tries) -> None:
    if len(target.register.environment.citizens) < 2:
        raise Untried("needs two citizens")
    victim = target.register.environment.citizens[1]
    try:
        for _ in range(7):
            stranger, address = citizens_form(target)
            answer = stranger.post(address, {"username": victim.username, "password": "rossz jelszó"})
            if answer.status == 429:
                break
        browser, address = citizens_form(target, Browser(target.port, agent="the citizen's own"))
        form = {"username": victim.username, "password": target.secrets.citizen_password(victim)}
        answer = browser.post(address, form)
        tries.holds("code=" in answer.header("location"), f"{victim.username} cannot sign in any more: {answer}")
    finally:
        clear_failures(target)


@attack("S17", "sign-in", "one password tried on many users")
def test_spraying(target: Target, tries: Tries) -> None:
    """Thirty users within a minute from one source: at the latest the twentieth is slowed down or refused."""
    answers: list[Answer] = []
    start = time.monotonic()
    try:
        for number in range(30):
            browser = target.anyone(patient=False)
            page, address = browser.follow(f"{target.own.origin}/elugy/ugyfel/belepes")
            if page.status == 429 or 'name="password"' not in page.text:
                answers.append(page)
                break
            answer = browser.post(
                urljoin(address, action(page.text)), {"username": f"polgar.{number}", "password": "Nyar2026"}
            )
            answers.append(answer)
            if answer.status == 429:
                break
        stopped = any(answer.status in (429, 403) for answer in answers) or time.monotonic() - start > 30
        tries.holds(stopped, f"{len(answers)} users in {time.monotonic() - start:.1f} s, nobody stopped it")
    finally:
        clear_failures(target)


@attack("S18", "sign-in", "each anonymous start of a sign-in writes into the municipality's database")
def test_sessions_of_nobody(target: Target, tries: Tries) -> None:
    sql = "SELECT to_json(count(*)) FROM elugy.django_session;"
    before = int(str(target.superuser(sql)[0]))
    for _ in range(40):
        target.anyone().get(f"{target.own.origin}/elugy/ugyfel/belepes")
    new_rows = int(str(target.superuser(sql)[0])) - before
    tries.holds(new_rows < 30, f"40 requests, {new_rows} more rows")


@attack("S19", "sign-in", "a locked or unknown clerk's certificate")
def test_unknown_clerk(target: Target, tries: Tries) -> None:
    browser = target.holder(target.own, "proba.ismeretlen")
    answer, address = browser.follow(f"{target.own.origin}/keret/")
    tries.holds(not (answer.status == 200 and urlsplit(address).path.startswith("/keret/")), answer)
