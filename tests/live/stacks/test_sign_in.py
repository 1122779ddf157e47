"""Sign-in as app servers and browsers do it: authorization code with PKCE, by certificate and second factor, through
the edge; and what signs nobody in.
"""

import base64
import hashlib
import json
import secrets as random
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from centre.identity.second_factor import reset
from centre.reach.keycloak import Keycloak
from centre.reach.runtime import RuntimeFault
from centre.reach.tunnel import HttpsSession
from inventory.names import Port
from inventory.vault import vault
from systems.shared.realms import client_id
from tests.support import second_factor
from tests.support.edge_client import EdgeClient, enrol, form_action

KSH, CLERK, COLLEAGUE = "16054", "minta.iktato", "minta.admin"
SYSTEM = "keret"


@pytest.fixture(scope="module")
def secrets(register):
    return vault.load(register)


@pytest.fixture(scope="module")
def certificate(register, secrets, tmp_path_factory):
    return enrol(EdgeClient(register, secrets), secrets, tmp_path_factory.mktemp("clerk"), CLERK, KSH)


class RelyingParty:
    """What an app server of one tenant does; tokens go the inner way, the browser the outer."""

    def __init__(self, register, secrets, runtime, municipality, system=SYSTEM):
        self.register, self.secrets, self.runtime, self.municipality = register, secrets, runtime, municipality
        self.verifier = random.token_urlsafe(48)
        self.client = client_id(municipality.tenant, system)
        self.callback = f"{municipality.url(system)}oidc/callback"

    def address(self, scope, **changes):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.callback,
            "scope": scope,
            "state": "test",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        query = {name: value for name, value in query.items() if value}
        identity = self.register.environment.origin(self.register.environment.identity_host)
        return f"{identity}/realms/asp/protocol/openid-connect/auth?{urlencode(query)}"

    def session(self):
        root = self.secrets.root_ca.certificate
        return HttpsSession(self.runtime, self.register.names.identity, Port.IDENTITY_LOCAL, root)

    def redeem(self, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client,
            "client_secret": self.secrets.oidc_secret(self.municipality, SYSTEM),
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": self.verifier,
            **changes,
        }
        with self.session() as session:
            return session.request("POST", "/realms/asp/protocol/openid-connect/token", form=form).json()


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def code_of(reply):
    assert reply.status == 302, f"{reply.status}: {reply.body[:500]}"
    return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]


@pytest.fixture
def party(register, secrets, runtime):
    return RelyingParty(register, secrets, runtime, register.municipality(KSH))


@pytest.fixture(scope="module")
def signed_in(register, secrets, runtime, certificate):
    """The clerk has a second factor."""
    party = RelyingParty(register, secrets, runtime, register.municipality(KSH))
    EdgeClient(register, secrets, certificate).sign_in(party.address("openid"))


def second_factor_page(register, secrets, party, certificate):
    """The page that the certificate alone leads to, and the browser that shows it."""
    browser = EdgeClient(register, secrets, certificate)
    return browser, browser.get(party.address("openid"))


def test_certificate_and_password_sign_in(register, secrets, party, certificate):
    browser = EdgeClient(register, secrets, certificate)
    start = time.monotonic()
    tokens = party.redeem(code_of(browser.sign_in(party.address(f"openid organization:t{KSH}"))))
    elapsed = time.monotonic() - start
    identity = claims(tokens["id_token"])
    environment = register.environment
    assert identity["iss"] == f"{environment.origin(environment.identity_host)}/realms/asp"
    assert identity["aud"] == f"t{KSH}-{SYSTEM}"
    assert identity["preferred_username"] == CLERK
    assert identity["organization"] == [f"t{KSH}"]
    assert identity["resource_access"] == {f"t{KSH}": {"roles": ["irat.iktato", "keret.felhasznalo"]}}
    assert identity["name"], "the clerk's name is shown by every system"
    assert elapsed < 10, f"sign-in took {elapsed:.1f} s"


def signed_in_at(system, register, secrets, runtime, certificate):
    """A browser whose clerk signed in at a system of the municipality as its pages do, and the address at a second."""
    municipality = register.municipality(KSH)
    browser = EdgeClient(register, secrets, certificate)
    scope = f"openid organization:{municipality.tenant}"
    assert code_of(browser.sign_in(RelyingParty(register, secrets, runtime, municipality, system).address(scope)))
    return browser, RelyingParty(register, secrets, runtime, municipality, "irat").address(scope)


def test_the_second_factor_is_asked_once_for_all_systems(register, secrets, runtime, certificate):
    browser, address = signed_in_at("keret", register, secrets, runtime, certificate)
    assert code_of(browser.get(address)), "the next system's sign-in leads straight back"
    again = browser.get(f"{address}&prompt=login")
    assert (again.status, 'name="password"' in again.body) == (200, True), "asked for anew, it is asked for"


def test_a_session_is_of_no_use_to_another_certificate(register, secrets, runtime, certificate, tmp_path):
    """A clerk's cookies in the browser of a colleague, and in one without a certificate."""
    browser, address = signed_in_at("keret", register, secrets, runtime, certificate)
    theirs = enrol(EdgeClient(register, secrets), secrets, tmp_path, COLLEAGUE, KSH)
    for thief in (EdgeClient(register, secrets, theirs), EdgeClient(register, secrets)):
        thief._cookies = browser._cookies
        reply = thief.get(address)
        assert "code=" not in reply.headers.get("location", ""), f"{reply.status}: {reply.headers}"


def test_a_certificate_alone_signs_nobody_in(register, secrets, party, certificate, signed_in):
    browser, page = second_factor_page(register, secrets, party, certificate)
    assert (page.status, 'name="password"' in page.body, 'name="username"' in page.body) == (200, True, False)
    assert 'lang="hu"' in page.body
    answer = browser.post(form_action(page.body), {"password": "nem-ez-a-jelszava"})
    assert (answer.status, 'name="password"' in answer.body) == (200, True)


def test_a_password_that_anybody_tries_first_is_refused(register, secrets, runtime, party, certificate):
    with Keycloak(runtime, secrets) as api:
        reset(api, CLERK)
    browser = EdgeClient(register, secrets, certificate)
    page = browser.get(party.address("openid"))
    page = browser.get(page.headers["location"])
    assert 'name="password-new"' in page.body, f"{page.status}: {page.body[:500]}"
    for word, text in (("onkormanyzat2026!", "tiltó listán"), ("rövid", "hossz")):
        page = browser.post(form_action(page.body), {"password-new": word, "password-confirm": word})
        assert (page.status, 'name="password-new"' in page.body) == (200, True), word
        assert text in page.body, f"{word}: the clerk reads why"
    word = second_factor.password(secrets, CLERK)
    assert code_of(browser.post(form_action(page.body), {"password-new": word, "password-confirm": word}))


def test_without_a_certificate_nothing_asks_for_a_password(register, secrets, party):
    page = EdgeClient(register, secrets).get(party.address("openid"))
    assert page.status in (400, 403)
    assert "password" not in page.body


def test_a_password_without_its_certificate_signs_nobody_in(register, secrets, party, certificate, signed_in):
    """The page of one browser, answered rightly by one that has no certificate."""
    browser, page = second_factor_page(register, secrets, party, certificate)
    stranger = EdgeClient(register, secrets)
    stranger._cookies = browser._cookies
    word = second_factor.password(secrets, CLERK)
    reply = stranger.post(form_action(page.body), {"password": word})
    assert "code=" not in reply.headers.get("location", ""), "the edge lets nobody without a certificate sign in"


def test_a_colleagues_certificate_and_my_password_sign_nobody_in(
    register, secrets, party, certificate, signed_in, tmp_path
):
    theirs = enrol(EdgeClient(register, secrets), secrets, tmp_path, COLLEAGUE, KSH)
    EdgeClient(register, secrets, theirs).sign_in(party.address("openid"))
    browser, page = second_factor_page(register, secrets, party, theirs)
    mine = second_factor.password(secrets, CLERK)
    reply = browser.post(form_action(page.body), {"password": mine, "username": CLERK})
    assert (reply.status, 'name="password"' in reply.body) == (200, True)


def test_a_stranger_cannot_lock_a_clerk_out(register, secrets, party, certificate, signed_in):
    """Seven wrong passwords, at every place that a stranger reaches; then the clerk signs in."""
    stranger = EdgeClient(register, secrets)
    identity = register.environment.origin(register.environment.identity_host)
    for number in range(7):
        page = stranger.get(party.address("openid"))
        assert "password" not in page.body
        form = {"username": CLERK, "password": f"rossz-{number}", "grant_type": "password", "client_id": "admin-cli"}
        for path in ("protocol/openid-connect/token", "login-actions/authenticate?client_id=account"):
            assert stranger.post(f"{identity}/realms/asp/{path}", form).status >= 400
    assert code_of(EdgeClient(register, secrets, certificate).sign_in(party.address("openid")))


def test_a_stranger_cannot_lock_a_citizen_out(register, secrets, runtime):
    """Many wrong passwords from one browser; then the citizen signs in from another."""
    municipality, citizen = register.municipality(KSH), register.environment.citizens[0]
    begin = f"{municipality.url('elugy')}ugyfel/belepes"

    def enter(browser, page, word):
        form = {"username": citizen.username, "password": word, "credentialId": ""}
        return browser.post(form_action(page.body), form)

    stranger = EdgeClient(register, secrets)
    page = stranger.follow(begin)
    for number in range(12):
        page = enter(stranger, page, f"rossz-{number}")
        assert 'name="password"' in page.body, f"{page.status}: {page.body[:300]}"
    own = EdgeClient(register, secrets)
    reply = enter(own, own.follow(begin), secrets.citizen_password(citizen))
    assert "code=" in reply.headers.get("location", ""), f"{reply.status}: {reply.body[:500]}"


@pytest.mark.parametrize("realm", ["asp", "ugyfel"])
def test_password_grants_are_refused(register, secrets, party, realm):
    """At the clients that Keycloak brings, and at one of ours with its right secret."""
    citizen, municipality = register.environment.citizens[0], register.municipality(KSH)
    own = (secrets.citizens_oidc_secret if realm == "ugyfel" else secrets.oidc_secret)(municipality, "elugy")
    who = {"username": citizen.username, "password": secrets.citizen_password(citizen)}
    for client, secret in (("admin-cli", ""), ("account", ""), (client_id(municipality.tenant, "elugy"), own)):
        form = {"grant_type": "password", "client_id": client, "client_secret": secret, **who}
        with party.session() as session:
            reply = session.request(
                "POST", f"/realms/{realm}/protocol/openid-connect/token", form=form, accept=(400, 401)
            )
        assert reply.status in (400, 401), f"{client}: {reply.text}"
        assert "access_token" not in reply.text


def test_a_forged_certificate_header_from_outside_signs_nobody_in(register, secrets, party, certificate):
    body = "".join(certificate.read_text().split("-----END CERTIFICATE-----")[0].splitlines()[1:])
    for name in ("Client-Cert", "client_cert", "Client_Cert", "X-Forwarded-Client-Cert", "SSL-Client-Cert"):
        page = EdgeClient(register, secrets).get(party.address("openid"), headers={name: f":{body}:"})
        assert page.status in (400, 403), f"{name}: {page.status}"
        assert "password" not in page.body, name


# Asks the identity provider as a compromised app server would, one line an answer: status and path.
FROM_AN_APP_SERVER = """
import http.client, os, ssl, sys
from urllib.parse import urlsplit
where = urlsplit(os.environ["ASP_OIDC_BACKCHANNEL"])
context = ssl.create_default_context(cafile=os.environ["ASP_ROOT_FILE"])
for line in sys.argv[1:]:
    port, method, path = line.split(" ", 2)
    connection = http.client.HTTPSConnection(where.hostname, int(port), timeout=10, context=context)
    try:
        connection.request(method, path, headers={"Client-Cert": ":AA==:", "X-Forwarded-Host": "id.elsewhere.test"})
        print(connection.getresponse().status, line)
    except OSError as error:
        print("refused", line)
"""


def from_an_app_server(register, runtime, *requests):
    service = register.cell(register.municipality(KSH).cell).app("portal")
    lines = runtime.check(service, ["python", "-c", FROM_AN_APP_SERVER, *requests], timeout=120).splitlines()
    assert len(lines) == len(requests)
    return {line.split(" ", 1)[1]: line.split(" ", 1)[0] for line in lines}


def test_an_app_server_gets_keys_and_tokens_and_nothing_else(register, runtime):
    """No administration, no realm master, no sign-in page, no metrics."""
    main, management = Port.IDENTITY, Port.IDENTITY_MANAGEMENT
    useful = from_an_app_server(
        register,
        runtime,
        f"{main:d} GET /realms/asp/protocol/openid-connect/certs",
        f"{main:d} POST /realms/ugyfel/protocol/openid-connect/token",
    )
    assert list(useful.values()) == ["200", "400"], useful
    closed = from_an_app_server(
        register,
        runtime,
        f"{main:d} GET /admin/",
        f"{main:d} GET /admin/master/console/",
        f"{main:d} GET /admin/realms/asp/users",
        f"{main:d} POST /realms/master/protocol/openid-connect/token",
        f"{main:d} GET /realms/master/protocol/openid-connect/certs",
        f"{main:d} POST /realms/asp/protocol/openid-connect/token/introspect",
        f"{main:d} GET /realms/asp/protocol/openid-connect/auth",
        f"{main:d} GET /realms/asp/account/",
        f"{main:d} GET /realms/asp/protocol/openid-connect/certs/../../../../master/protocol/openid-connect/certs",
        f"{main:d} GET //admin/",
        f"{main:d} GET /health/ready",
        f"{main:d} GET /metrics",
    )
    assert set(closed.values()) == {"404"}, closed
    unreachable = from_an_app_server(
        register, runtime, f"{management:d} GET /metrics", f"{Port.IDENTITY_LOCAL:d} GET /admin/"
    )
    assert set(unreachable.values()) == {"refused"}, unreachable


def test_the_secret_of_one_system_is_none_of_anothers(register, secrets, party, certificate):
    """The key of the portal's app server derives no secret that redeems a code of the framework's."""
    code = code_of(EdgeClient(register, secrets, certificate).sign_in(party.address("openid")))
    with pytest.raises(RuntimeFault, match="unauthorized_client|Invalid client"):
        party.redeem(code, client_secret=secrets.oidc_secret(register.municipality(KSH), "portal"))


def test_the_log_repeats_no_user_name_of_a_refused_sign_in(register, secrets, runtime):
    username = f"Kitalált.Név{random.randbelow(10**9)}"
    browser = EdgeClient(register, secrets)
    page = browser.follow(f"{register.municipality(KSH).url('elugy')}ugyfel/belepes")
    browser.post(form_action(page.body), {"username": username, "password": "x", "credentialId": ""})
    assert username not in runtime.container(register.names.identity).logs().decode()


def test_a_clerk_of_elsewhere_gets_no_proof_of_membership(register, secrets, runtime, certificate):
    party = RelyingParty(register, secrets, runtime, register.municipality("14915"))
    browser = EdgeClient(register, secrets, certificate)
    reply = browser.sign_in(party.address("openid organization:t14915"))
    identity = claims(party.redeem(code_of(reply))["id_token"])
    assert identity["preferred_username"] == CLERK, "the realm is one for all; what is missing is the membership"
    assert "t14915" not in identity.get("organization", [])
    assert "t14915" not in identity.get("resource_access", {})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code_challenge": "", "code_challenge_method": ""}, "Missing parameter: code_challenge_method"),
        ({"code_challenge_method": "plain"}, "code challenge method is not matching the configured one"),
    ],
    ids=["no PKCE", "plain PKCE"],
)
def test_sign_in_without_pkce_is_refused(register, secrets, party, certificate, changes, reason):
    reply = EdgeClient(register, secrets, certificate).get(party.address("openid", **changes))
    assert reply.status == 302
    query = parse_qs(urlsplit(reply.headers["location"]).query)
    assert (query["error"], "code" in query) == (["invalid_request"], False)
    assert reason in query["error_description"][0]


def test_another_origin_may_not_receive_the_code(register, secrets, party, certificate):
    elsewhere = f"{register.municipality('14915').origin}/keret/oidc/callback"
    reply = EdgeClient(register, secrets, certificate).get(party.address("openid", redirect_uri=elsewhere))
    assert reply.status == 400
    assert "redirect_uri" in reply.body


def test_the_secret_of_another_tenant_redeems_nothing(register, secrets, party, certificate):
    code = code_of(EdgeClient(register, secrets, certificate).sign_in(party.address("openid")))
    wrong = secrets.oidc_secret(register.municipality("14915"), SYSTEM)
    with pytest.raises(RuntimeFault, match="unauthorized_client|Invalid client"):
        party.redeem(code, client_secret=wrong)
