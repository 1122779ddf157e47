"""Sign-in as app servers and browsers do it: authorization code with PKCE, by certificate, through the edge."""

import base64
import hashlib
import json
import secrets as random
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from centre.reach.runtime import RuntimeFault
from centre.reach.tunnel import HttpsSession
from inventory.names import Port
from inventory.vault import vault
from tests.support.edge_client import EdgeClient, enrol

KSH, CLERK = "16054", "minta.iktato"


@pytest.fixture(scope="module")
def secrets(register):
    return vault.load(register)


@pytest.fixture(scope="module")
def certificate(register, secrets, tmp_path_factory):
    return enrol(EdgeClient(register, secrets), secrets, tmp_path_factory.mktemp("clerk"), CLERK, KSH)


class RelyingParty:
    """What an app server of one tenant does; tokens go the inner way, the browser the outer."""

    def __init__(self, register, secrets, runtime, municipality):
        self.register, self.secrets, self.runtime, self.municipality = register, secrets, runtime, municipality
        self.verifier = random.token_urlsafe(48)
        self.callback = f"{municipality.origin}/keret/oidc/callback"

    def address(self, scope, **changes):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.municipality.tenant,
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
        return HttpsSession(self.runtime, self.register.names.identity, Port.IDENTITY, root)

    def redeem(self, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "client_id": self.municipality.tenant,
            "client_secret": self.secrets.oidc_secret(self.municipality),
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


def test_the_certificate_signs_in_without_a_typed_word(register, secrets, party, certificate):
    browser = EdgeClient(register, secrets, certificate)
    begun = time.monotonic()
    tokens = party.redeem(code_of(browser.get(party.address(f"openid organization:t{KSH}"))))
    elapsed = time.monotonic() - begun
    identity = claims(tokens["id_token"])
    environment = register.environment
    assert identity["iss"] == f"{environment.origin(environment.identity_host)}/realms/asp"
    assert identity["aud"] == f"t{KSH}"
    assert identity["preferred_username"] == CLERK
    assert identity["organization"] == [f"t{KSH}"]
    assert sorted(identity["resource_access"][f"t{KSH}"]["roles"]) == ["irat.iktato", "keret.felhasznalo"]
    assert identity["name"], "the clerk's name is shown by every system"
    assert elapsed < 10, f"sign-in took {elapsed:.1f} s"


def test_without_a_certificate_a_password_form_is_shown(register, secrets, party):
    page = EdgeClient(register, secrets).get(party.address("openid"))
    assert page.status == 200
    assert 'name="password"' in page.body
    assert 'lang="hu"' in page.body


def test_a_forged_certificate_header_from_outside_signs_nobody_in(register, secrets, party, certificate):
    body = "".join(certificate.read_text().split("-----END CERTIFICATE-----")[0].splitlines()[1:])
    for name in ("Client-Cert", "client_cert", "Client_Cert", "X-Forwarded-Client-Cert", "SSL-Client-Cert"):
        page = EdgeClient(register, secrets).get(party.address("openid"), headers={name: f":{body}:"})
        assert (page.status, 'name="password"' in page.body) == (200, True), f"{name}: {page.status}"


def test_a_forged_certificate_header_straight_to_keycloak_is_not_trusted(party, certificate):
    body = "".join(certificate.read_text().split("-----END CERTIFICATE-----")[0].splitlines()[1:])
    url = urlsplit(party.address("openid"))
    with party.session() as session:
        session.header("Client-Cert", f":{body}:")
        answer = session.request("GET", f"{url.path}?{url.query}")
    assert answer.status == 200
    assert 'name="password"' in answer.text


def test_a_clerk_of_elsewhere_gets_no_proof_of_membership(register, secrets, runtime, certificate):
    party = RelyingParty(register, secrets, runtime, register.municipality("14915"))
    browser = EdgeClient(register, secrets, certificate)
    reply = browser.get(party.address("openid organization:t14915"))
    if reply.status == 302 and "error" in reply.headers["location"]:
        return
    identity = claims(party.redeem(code_of(reply))["id_token"])
    assert "t14915" not in identity.get("organization", [])
    assert "resource_access" not in identity or "t14915" not in identity["resource_access"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code_challenge": "", "code_challenge_method": ""}, "Missing parameter: code_challenge_method"),
        ({"code_challenge_method": "plain"}, "code challenge method is not matching the configured one"),
    ],
    ids=["no PKCE", "plain PKCE"],
)
def test_sign_in_without_pkce_is_refused(register, secrets, party, certificate, changes, said):
    reply = EdgeClient(register, secrets, certificate).get(party.address("openid", **changes))
    assert reply.status == 302
    query = parse_qs(urlsplit(reply.headers["location"]).query)
    assert (query["error"], "code" in query) == (["invalid_request"], False)
    assert said in query["error_description"][0]


def test_another_origin_may_not_receive_the_code(register, secrets, party, certificate):
    elsewhere = f"{register.municipality('14915').origin}/keret/oidc/callback"
    reply = EdgeClient(register, secrets, certificate).get(party.address("openid", redirect_uri=elsewhere))
    assert reply.status == 400
    assert "redirect_uri" in reply.body


def test_the_secret_of_another_tenant_redeems_nothing(register, secrets, party, certificate):
    code = code_of(EdgeClient(register, secrets, certificate).get(party.address("openid")))
    wrong = secrets.oidc_secret(register.municipality("14915"))
    with pytest.raises(RuntimeFault, match="unauthorized_client|Invalid client"):
        party.redeem(code, client_secret=wrong)
