"""What the edge and the identity provider's door decide about one request, by the rules that are rendered for them."""

from copy import copy

import pytest

from inventory.register import load
from stacks.configs import edge_config, edge_limits, identity_door
from systems.shared.bodies import UPLOADS, WITHOUT_A_FILE
from tests.support.haproxy import Certificate, Frontend, Request

ISSUER, NOW = "ASP test issuing CA", 1_000_000
HOST, ID, PKI = "minta.asp.test", "id.asp.test", "ca.asp.test"
CLERK = Certificate("clerk", ("t16054",), ISSUER)
OFFICE = Request(HOST, "/irat/", certificate=CLERK)
CITIZEN = Request(HOST, "/portal/")
SIGN_IN = Request(ID, "/realms/asp/protocol/openid-connect/auth", certificate=CLERK)


@pytest.fixture(scope="module")
def register():
    """With limits that all differ, so that none can stand for another."""
    register = copy(load("test"))
    register.limits = {
        name: limit.model_copy(update={"value": limit.value + place})
        for place, (name, limit) in enumerate(register.limits.items())
    }
    return register


def edge_with(register, until=NOW + 60, revoked=("0BAD",)):
    files = {
        edge_config.TENANTS_MAP: [f"{HOST} 16054:baz1", "masik.asp.test 21245:baz2"],
        edge_config.REVOKED_LIST: list(revoked),
        edge_config.CRL_MAP: [f"until {until}"],
    }
    return Frontend(edge_config.render(register, ISSUER), "https", files, NOW)


@pytest.fixture(scope="module")
def edge(register):
    return edge_with(register)


def clerk(**changes):
    return OFFICE.but(certificate=Certificate(**{**CLERK.__dict__, **changes}))


def refusal(edge, request):
    outcome = edge.decide(request)
    assert bool(outcome.backend) is (outcome.status is None)
    return outcome.refusal if outcome.status else ""


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (OFFICE, ""),
        (OFFICE.but(certificate=None), "no-certificate"),
        (clerk(verify=10), "certificate-invalid"),
        (clerk(ca_error=10), "certificate-invalid"),
        (clerk(issuer="ASP test services CA"), "certificate-invalid"),
        (clerk(serial="0BAD"), "certificate-revoked"),
        (clerk(units=("t21245",)), "tenant-mismatch"),
        (clerk(units=("t16053",)), "tenant-mismatch"),
        (clerk(units=("t16054", "t21245")), "tenant-mismatch"),
        (clerk(units=()), "tenant-mismatch"),
        (OFFICE.but(host="masik.asp.test"), "tenant-mismatch"),
        (OFFICE.but(host="nincs.asp.test"), "unknown-host"),
        (OFFICE.but(path="/nincs/"), "unknown-path"),
        (OFFICE.but(method="DELETE"), "method"),
        (OFFICE.but(sni="masik.asp.test"), "misdirected"),
        (OFFICE.but(headers={"Host": [HOST, HOST]}), "bad-request"),
        *((OFFICE.but(path=f"/irat/{odd}"), "bad-request") for odd in ("%2Fx", "%5Cx", "%00", "\\x")),
    ],
)
def test_a_staff_system_opens_to_the_municipalitys_own_certificate_alone(edge, request_, why):
    assert refusal(edge, request_) == why


@pytest.mark.parametrize(("until", "why"), [(NOW, ""), (NOW - 1, "revocation-unknown"), (0, "revocation-unknown")])
def test_with_a_list_of_revocations_out_of_date_nobody_is_believed(register, until, why):
    edge = edge_with(register, until)
    assert refusal(edge, OFFICE) == why
    assert refusal(edge, SIGN_IN) == why
    assert refusal(edge, CITIZEN) == "", "a citizen has none"
    public = edge.decide(CITIZEN.but(certificate=CLERK))
    assert ("client-cert" in public.headers) is (why == "")


@pytest.mark.parametrize(
    ("request_", "certificate"),
    [
        (OFFICE, ":clerk:"),
        (CITIZEN, None),
        (CITIZEN.but(certificate=CLERK), ":clerk:"),
        (clerk(units=("t21245",)).but(path="/portal/"), None),
        (clerk(units=("t16054", "t21245")).but(path="/portal/"), None),
        (clerk(serial="0BAD").but(path="/portal/"), None),
        (clerk(verify=10).but(path="/portal/"), None),
        (SIGN_IN, ":clerk:"),
        (SIGN_IN.but(path="/resources/x.css", certificate=None), None),
        (SIGN_IN.but(path="/resources/x.css", certificate=Certificate("x", ("t16054",), "another")), None),
        (SIGN_IN.but(path="/realms/ugyfel/protocol/openid-connect/auth"), None),
        (Request(PKI, "/1.0/sign", "POST", certificate=CLERK), None),
    ],
)
def test_the_certificate_goes_where_its_bearer_may_be_known_and_nowhere_else(edge, request_, certificate):
    claims = {"Client-Cert": ["forged"], "client_cert": ["forged"], "Asp-Tenant": ["99999"], "Forwarded": ["for=x"]}
    outcome = edge.decide(request_.but(headers={**claims, "X-Forwarded-For": ["198.51.100.9"]}))
    assert outcome.backend
    assert outcome.headers.get("client-cert") == ([certificate] if certificate else None)
    assert outcome.headers.get("asp-tenant") == (["16054"] if request_.host == HOST else None)
    assert outcome.headers["x-forwarded-for"] == ["192.0.2.7"]
    assert not {"client_cert", "forwarded"} & set(outcome.headers)


@pytest.mark.parametrize(
    ("path", "method", "why"),
    [
        ("/roots.pem", "GET", ""),
        ("/1.0/crl", "HEAD", ""),
        ("/1.0/root/abc", "GET", ""),
        ("/1.0/crl", "POST", "unknown-path"),
        ("/1.0/sign", "POST", ""),
        ("/1.0/sign", "GET", "unknown-path"),
        ("/1.0/revoke", "POST", "unknown-path"),
        ("/1.0/renew", "POST", "unknown-path"),
        ("/1.0/provisioners", "GET", "unknown-path"),
    ],
)
def test_step_ca_is_asked_for_its_roots_and_its_list_and_to_sign(edge, path, method, why):
    assert refusal(edge, Request(PKI, path, method)) == why


@pytest.mark.parametrize(
    ("path", "who", "why"),
    [
        ("/realms/asp/protocol/openid-connect/auth", CLERK, ""),
        ("/realms/asp/protocol/openid-connect/auth", None, "no-certificate"),
        ("/realms/asp/login-actions/authenticate", None, "no-certificate"),
        ("/realms/asp/protocol/openid-connect/logout", None, ""),
        ("/realms/ugyfel/protocol/openid-connect/auth", None, ""),
        ("/realms/ugyfel/login-actions/authenticate", None, ""),
        ("/realms/asp/protocol/openid-connect/token", CLERK, "unknown-path"),
        ("/realms/master/protocol/openid-connect/auth", CLERK, "unknown-path"),
        ("/admin/", CLERK, "unknown-path"),
        ("/metrics", CLERK, "unknown-path"),
    ],
)
def test_at_the_identity_provider_a_browser_signs_in_and_does_nothing_else(edge, path, who, why):
    assert refusal(edge, Request(ID, path, certificate=who)) == why


def test_a_path_without_its_slash_and_the_root_are_led_on(edge):
    assert edge.decide(OFFICE.but(path="/")).location == "/keret/"
    outcome = edge.decide(OFFICE.but(path="/irat"))
    assert (outcome.status, outcome.location) == (308, "/irat/")


OPEN, RATE, ERRORS = "sc_conn_cur(1)", "sc_http_req_rate(1)", "sc_gpc0_rate(1)"
PASSWORDS, BEGINS = "sc_http_req_rate(5,passwords)", "sc_http_req_rate(5,sign-ins)"
ENTRY = SIGN_IN.but(path="/realms/asp/login-actions/authenticate", method="POST")
CITIZENS_ENTRY = ENTRY.but(path="/realms/ugyfel/login-actions/authenticate", certificate=None)


@pytest.mark.parametrize(
    ("request_", "counter", "limit", "why"),
    [
        (OFFICE, OPEN, "certificate-open", "too-many-requests"),
        (CITIZEN, OPEN, "anonymous-open", "too-many-requests"),
        (OFFICE, RATE, "certificate-rate", "too-many-requests"),
        (CITIZEN, RATE, "anonymous-rate", "too-many-requests"),
        (CITIZEN, ERRORS, "anonymous-errors", "too-many-requests"),
        (ENTRY, PASSWORDS, "certificate-passwords", "too-many-sign-ins"),
        (CITIZENS_ENTRY, PASSWORDS, "anonymous-passwords", "too-many-sign-ins"),
        (CITIZEN.but(path=edge_limits.CITIZENS_SIGN_IN), BEGINS, "sign-in-begins", "too-many-sign-ins"),
        (OFFICE, "sc_conn_cur(2)", "municipality-open", "municipality-busy"),
    ],
)
def test_a_limit_is_reached_and_not_passed(register, edge, request_, counter, limit, why):
    most = register.limit(limit)
    assert refusal(edge, request_.but(counts={counter: most})) == ""
    assert refusal(edge, request_.but(counts={counter: most + 1})) == why


def test_a_clerks_errors_are_nobodys_guesses(register, edge):
    assert refusal(edge, OFFICE.but(counts={ERRORS: 10 * register.limit("anonymous-errors")})) == ""


@pytest.mark.parametrize(
    ("counter", "limit", "certificate", "ends"),
    [
        ("sc_conn_cur(0)", "source-connections", CLERK, True),
        ("sc_conn_cur(0)", "source-connections", None, True),
        ("sc_conn_cur(3)", "anonymous-connections", None, True),
    ],
)
def test_connections_of_one_address_are_bounded(register, edge, counter, limit, certificate, ends):
    request = CITIZEN.but(certificate=certificate)
    for number, status in ((register.limit(limit), None), (register.limit(limit) + 1, 0)):
        assert edge.decide(request.but(counts={counter: number})).status == status


@pytest.mark.parametrize(
    ("certificate", "counted"), [(None, True), (CLERK, False), (Certificate("x", (), "y", verify=18), True)]
)
def test_who_shows_no_genuine_certificate_is_counted_as_a_stranger(edge, certificate, counted):
    assert ("anonymous" in edge.decide(CITIZEN.but(certificate=certificate)).tracked) is counted


@pytest.mark.parametrize(
    ("request_", "caller"),
    [
        (OFFICE, "certificate-0A01"),
        (CITIZEN, "address-192.0.2.7"),
        (CITIZEN.but(source="2001:db8:1:2:3:4:5:6"), "address-2001:db8:1:2::"),
        (clerk(serial="0BAD").but(path="/portal/"), "address-192.0.2.7"),
    ],
)
def test_a_caller_is_a_valid_certificate_or_what_one_customer_gets_of_addresses(edge, request_, caller):
    assert edge.decide(request_).tracked["callers"] == caller


@pytest.mark.parametrize(
    ("request_", "table"),
    [
        (ENTRY, "passwords"),
        (CITIZENS_ENTRY, "passwords"),
        (ENTRY.but(method="GET"), None),
        (CITIZEN.but(path=edge_limits.CITIZENS_SIGN_IN), "sign-ins"),
        (CITIZEN, None),
    ],
)
def test_what_tries_a_password_or_begins_a_sign_in_is_counted(edge, request_, table):
    assert {"passwords", "sign-ins"} & set(edge.decide(request_).tracked) == ({table} if table else set())


LENGTH = {"Content-Length": ["1"]}


@pytest.mark.parametrize(
    ("request_", "largest"),
    [
        (OFFICE, WITHOUT_A_FILE),
        (CITIZEN, "body-anonymous"),
        (CITIZEN.but(certificate=CLERK), WITHOUT_A_FILE),
        (SIGN_IN, "body-awaited"),
        (OFFICE.but(path="/helpdesk/uj"), next(row.largest for row in UPLOADS if row.system == "helpdesk")),
        (
            CITIZEN.but(path="/portal/szerkesztes/hirek/uj", certificate=CLERK),
            next(row.largest for row in UPLOADS if row.system == "portal"),
        ),
        (CITIZEN.but(path="/portal/szerkesztes/hirek/uj"), "body-anonymous"),
    ],
)
def test_a_body_is_as_large_as_its_route_and_its_sender_may_send(register, edge, request_, largest):
    most = register.limit(largest) if isinstance(largest, str) else largest
    post = request_.but(method="POST", headers=LENGTH)
    assert refusal(edge, post.but(body=most)) == ""
    assert refusal(edge, post.but(body=most + 1)) == "too-large"


def test_a_body_whose_length_nobody_says_is_refused(edge):
    post = OFFICE.but(method="POST")
    assert refusal(edge, post.but(headers={"Transfer-Encoding": ["chunked"]})) == "length-required"
    assert refusal(edge, post.but(body=1)) == "length-required"
    assert refusal(edge, post) == ""


def test_headers_leave_room_for_a_body(register, edge):
    most = register.limit("headers")
    assert refusal(edge, OFFICE.but(header_bytes=most)) == ""
    assert refusal(edge, OFFICE.but(header_bytes=most + 1)) == "headers-too-large"


def lane(edge, request):
    outcome = edge.decide(request)
    return outcome.backend, {"at-work", "uploads"} & set(outcome.tracked)


def test_beyond_its_share_a_municipality_waits_in_the_lane_for_the_rest(register, edge):
    own, large = register.limit("municipality-at-work"), register.limit("body-awaited")
    assert lane(edge, OFFICE.but(share={"at-work": own - 1})) == ("baz1-irat", {"at-work"})
    assert lane(edge, OFFICE.but(share={"at-work": own})) == ("baz1-irat-more", set())
    post = OFFICE.but(path="/irat/erkeztetes/krx", method="POST", headers=LENGTH)
    assert lane(edge, post.but(body=large)) == ("baz1-irat", {"at-work"})
    assert lane(edge, post.but(body=large + 1)) == ("baz1-irat-upload", {"uploads"})
    assert lane(edge, post.but(body=large + 1, share={"at-work": own})) == ("baz1-irat-upload", {"uploads"})
    assert lane(edge, post.but(body=large + 1, share={"uploads": 1})) == ("baz1-irat-more", set())
    assert lane(edge, SIGN_IN) == ("identity", set())


def test_a_system_that_is_not_installed_is_answered_by_the_framework(register):
    other = copy(register)
    other.__dict__["installed_systems"] = ("keret",)
    assert edge_with(other).decide(OFFICE).backend == "baz1-keret"


@pytest.mark.parametrize(("status", "counted"), [(200, False), (404, True), (403, True), (429, False), (500, False)])
def test_what_a_stranger_is_refused_counts_but_not_that_there_was_too_much(edge, status, counted):
    assert ("sc-inc-gpc0(1)" in edge.answer(CITIZEN, status).tracked) is counted


def test_every_answer_says_to_come_by_tls_and_not_who_gives_it(edge):
    headers = edge.answer(OFFICE, 200, server="gunicorn", x_frame_options="SAMEORIGIN").headers
    assert headers["strict-transport-security"] == ["max-age=31536000"] and "server" not in headers
    assert headers["x-frame-options"] == ["SAMEORIGIN"] and headers["x-content-type-options"] == ["nosniff"]
    assert "content-security-policy" not in headers, "a system's pages have their own"
    assert "content-security-policy" in edge.answer(OFFICE.but(certificate=None), 403).headers
    assert "content-security-policy" in edge.answer(OFFICE.but(path="/"), 302).headers


def test_a_connection_ends_after_a_body_that_nobody_read(register, edge):
    large = register.limit("body-awaited")
    post = OFFICE.but(method="POST", headers=LENGTH)
    assert "connection" not in edge.answer(post.but(body=large), 200).headers
    assert edge.answer(post.but(body=large + 1), 200).headers["connection"] == ["close"]
    assert edge.answer(post.but(body=5, certificate=None), 403).headers["connection"] == ["close"]


def test_the_handshake_takes_any_certificate_so_that_its_bearer_is_told_what_is_wrong(register):
    text = edge_config.render(register, ISSUER)
    (bind,) = (line for line in text.splitlines() if line.startswith("    bind") and "ca-file" in line)
    assert bind.endswith(f"ca-file {edge_config.CLIENT_CA_FILE} verify optional crt-ignore-err all ca-ignore-err all")


# -- the door of the identity provider


@pytest.fixture(scope="module")
def door(register):
    return Frontend(identity_door.render(register), "door", {})


AUTH, TOKEN = ("/realms/asp/protocol/openid-connect/" + page for page in ("auth", "token"))
CERTS = "/realms/ugyfel/protocol/openid-connect/certs"


@pytest.mark.parametrize(
    ("network", "path", "backend"),
    [
        ("edge-identity", AUTH, "keycloak"),
        ("edge-identity", "/realms/asp/login-actions/authenticate", "keycloak"),
        ("edge-identity", CERTS, "keycloak"),
        ("edge-identity", "/health/ready", "management"),
        ("edge-identity", TOKEN, ""),
        ("edge-identity", "/admin/realms", ""),
        ("apps-identity", TOKEN, "keycloak"),
        ("apps-identity", CERTS, "keycloak"),
        ("apps-identity", AUTH, ""),
        ("apps-identity", "/realms/asp/login-actions/authenticate", ""),
        ("apps-identity", "/health/ready", ""),
        (None, AUTH, ""),
        (None, TOKEN, ""),
        (None, "/health/ready", ""),
        *(("edge-identity", f"/resources/{odd}", "") for odd in ("../admin", "a//b", "a;b", "%2e%2e", "a\\b")),
    ],
)
def test_who_may_ask_keycloak_for_what(register, door, network, path, backend):
    source = register.names.network(network).subnet.partition("/")[0] if network else "10.99.99.9"
    outcome = door.decide(Request(ID, path, source=source))
    assert outcome.backend == backend and outcome.status == (None if backend else 404)


@pytest.mark.parametrize(("network", "is_kept"), [("edge-identity", True), ("apps-identity", False)])
def test_a_certificate_and_an_address_are_believed_from_the_edge_alone(register, door, network, is_kept):
    claims = dict.fromkeys(("client-cert", "client-cert-chain", "client_cert", "x-forwarded-for", "forwarded"), ["x"])
    source = register.names.network(network).subnet.partition("/")[0]
    outcome = door.decide(Request(ID, CERTS, source=source, headers=claims))
    assert outcome.backend == "keycloak"
    assert (set(claims) & set(outcome.headers)) == (set(claims) if is_kept else set())
