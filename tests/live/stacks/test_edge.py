"""What the edge lets through and what it refuses, each refusal by its code on a page that a clerk can read."""

import http.client
import json
import socket
import ssl
import time

import pytest
from cryptography import x509

from centre.edge import issuance, revocation
from centre.edge.hosts import EdgePlanner
from centre.reach.runtime import Runtime
from centre.reach.tunnel import HttpsSession
from inventory.names import Port
from inventory.register import load
from inventory.vault import vault
from inventory.vault.certificates import intermediate, leaf, root
from stacks.configs import edge_config
from stacks.configs.edge_pages import PAGES
from tests.support.edge_client import EdgeClient, enrol, sign

KSH, OTHER, CLERK = "16054", "14915", "minta.iktato"


@pytest.fixture(scope="module")
def secrets(register):
    return vault.load(register)


@pytest.fixture(scope="module")
def anyone(register, secrets):
    """Somebody without a certificate."""
    return EdgeClient(register, secrets)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def clerk(register, secrets, anyone, folder):
    """A clerk of the first municipality with the certificate of it."""
    return EdgeClient(register, secrets, enrol(anyone, secrets, folder, CLERK, KSH))


@pytest.fixture(scope="module")
def host(register):
    return register.municipality(KSH).host


@pytest.fixture(scope="module")
def other_host(register):
    return register.municipality(OTHER).host


def assert_refused(reply, page):
    """Refused with the page's code and status, in Hungarian, with the request's id on it."""
    assert (reply.refusal, reply.status) == (PAGES[page].code, PAGES[page].status), reply.body[:500]
    assert PAGES[page].title in reply.body
    assert reply.headers["asp-request-id"] in reply.body
    assert reply.headers["strict-transport-security"] == "max-age=31536000"


def assert_let_in(reply, system):
    """The app server answers: a public system with its page, another with the way to its sign-in."""
    if system in ("portal", "elugy"):
        assert (reply.refusal, reply.status) == ("", 200), reply.body[:500]
    else:
        assert (reply.refusal, reply.status) == ("", 302), reply.body[:500]
        assert f"/{system}/oidc/belepes" in reply.headers["location"]


def test_the_running_configuration_is_the_one_that_the_register_gives(register, secrets, runtime):
    running = runtime.check(register.names.edge, ["cat", edge_config.CONFIG_FILE])
    assert running == edge_config.render(register, f"ASP {register.environment.id} issuing CA")
    verdict = runtime.run(register.names.edge, ["haproxy", "-c", "-f", edge_config.CONFIG_FILE])
    assert (verdict.code, "WARNING" in verdict.out + verdict.err) == (0, False), verdict.err


def test_the_configuration_for_several_machines_is_one_that_haproxy_takes(register, runtime):
    """With several tasks behind a name; the files that it names are alike in every environment."""
    text = edge_config.render(load("three"), f"ASP {register.environment.id} issuing CA")
    assert "server-template" in text
    command = ["sh", "-c", "cat > /tmp/three.cfg; haproxy -c -f /tmp/three.cfg; code=$?; rm /tmp/three.cfg; exit $code"]
    verdict = runtime.run(register.names.edge, command, stdin=text)
    assert (verdict.code, "WARNING" in verdict.out + verdict.err) == (0, False), verdict.err


@pytest.mark.parametrize("system", ["keret", "irat", "gazd"])
def test_a_clerk_with_the_municipalitys_certificate_is_let_in(clerk, host, system):
    assert_let_in(clerk.request(host, f"/{system}/"), system)


def test_citizens_need_no_certificate(anyone, host):
    for system in ("portal", "elugy"):
        assert_let_in(anyone.request(host, f"/{system}/"), system)


def test_at_a_public_system_another_municipalitys_clerk_is_anybody(clerk, host, other_host):
    for system in ("portal", "elugy"):
        assert_let_in(clerk.request(host, f"/{system}/"), system)
        assert_let_in(clerk.request(other_host, f"/{system}/"), system)


def test_without_a_certificate_staff_systems_are_closed(anyone, host):
    assert_refused(anyone.request(host, "/keret/"), "no-certificate")


def test_the_certificate_of_another_municipality_is_refused(clerk, other_host):
    assert_refused(clerk.request(other_host, "/keret/"), "tenant-mismatch")


@pytest.mark.parametrize(
    "path",
    [
        "//keret/",
        "/./keret/",
        "/portal/../keret/",
        "/portal/%2e%2e/keret/",
        "/portal/.%2E/keret/",
        "/%6Beret/",
        "/portal//..//keret/",
        "///keret///",
    ],
)
def test_no_other_spelling_of_a_path_gets_round_the_certificate(anyone, host, path):
    assert_refused(anyone.request(host, path), "no-certificate")


@pytest.mark.parametrize("path", ["/portal/..%2fkeret/", "/portal/%2e%2e%5ckeret/", "/keret%00/", "/%zz/"])
def test_a_path_that_could_be_read_two_ways_is_refused(anyone, host, path):
    assert_refused(anyone.request(host, path), "bad-request")


@pytest.mark.parametrize("path", ["/KERET/", "/admin/", "/keret;x/", "/nincs/", "/healthz/ready", "/.well-known/x"])
def test_what_no_rule_names_is_not_there(anyone, host, path):
    assert_refused(anyone.request(host, path), "unknown-path")


def test_the_bare_address_leads_to_the_framework(anyone, host):
    reply = anyone.request(host, "/")
    assert (reply.status, reply.headers["location"]) == (302, "/keret/")


def test_a_host_that_no_municipality_has_is_unknown(register, anyone):
    assert_refused(anyone.request(f"nincs.{register.environment.domain}", "/keret/", verify_name=False), "unknown-host")


def test_a_request_for_another_host_than_the_connections_is_misdirected(clerk, host, other_host):
    assert_refused(clerk.request(host, "/keret/", host_header=other_host), "misdirected")


def test_two_hosts_in_one_request_are_refused(anyone, host, other_host):
    assert anyone.request(host, "/portal/", headers={"host": other_host}).status == 400


def test_a_certificate_of_ours_that_is_not_a_clerks_is_not_valid(register, secrets, folder, host):
    pair = secrets.tls(register.names.identity)  # of the same root, meant for the hosting's own connections
    file = folder / "internal.pem"
    file.write_text(pair.chain + pair.key)
    assert_refused(EdgeClient(register, secrets, file).request(host, "/keret/"), "certificate-invalid")


def test_a_strangers_certificate_is_not_valid(register, secrets, folder, host):
    authority = root(register.environment.id)  # same names, other keys
    pair = leaf(CLERK, [], intermediate(register.environment.id, "issuing", authority))
    file = folder / "stranger.pem"
    file.write_text(pair.chain + pair.key)
    assert_refused(EdgeClient(register, secrets, file).request(host, "/keret/"), "certificate-invalid")


def test_a_revoked_certificate_is_refused_within_the_promised_time(register, secrets, anyone, folder, host):
    file = enrol(anyone, secrets, folder, "minta.admin", KSH)
    browser = EdgeClient(register, secrets, file)
    assert_let_in(browser.request(host, "/keret/"), "keret")
    serial = x509.load_pem_x509_certificate(file.read_bytes()).serial_number
    revocation.revoke(register, serial, secrets)
    limit = register.environment.pki.crl_refresh_seconds + 10
    deadline = time.monotonic() + limit
    while (reply := browser.request(host, "/keret/")).status != 403:
        assert time.monotonic() < deadline, f"still let in {limit} s after the revocation"
        time.sleep(0.2)
    assert_refused(reply, "certificate-revoked")
    revocation.revoke(register, serial, secrets)  # once more is no error


def test_a_token_is_good_for_one_certificate_of_its_own_subject(register, secrets, anyone, folder):
    enrol(anyone, secrets, folder, CLERK, KSH)
    request = (folder / f"{CLERK}-{KSH}.csr").read_text()
    token = issuance.token(register, secrets, CLERK, KSH)
    assert sign(anyone, request, token).status == 201
    assert sign(anyone, request, token).status == 401, "a token works once"
    other = issuance.token(register, secrets, "minta.admin", KSH)
    reply = sign(anyone, request, other)
    assert (reply.status, "certificate request" in reply.body) == (403, True), reply.body
    late = issuance.token(register, secrets, CLERK, KSH, minutes=-5)
    assert sign(anyone, request, late).status == 401


def test_the_identity_host_shows_sign_in_and_nothing_else(register, anyone):
    host = register.environment.identity_host
    for realm in ("asp", "ugyfel"):
        assert anyone.request(host, f"/realms/{realm}/.well-known/openid-configuration").status == 200
    for path in (
        "/admin/",
        "/admin/master/console/",
        "/admin/realms/asp/users",
        "//admin/",
        "/resources/../admin/",
        "/realms/master/.well-known/openid-configuration",
        "/realms/master/protocol/openid-connect/token",
        "/realms/asp/account/",
        "/realms/ugyfel/account/",
        "/admin/realms/ugyfel/users",
        "/realms/asp/clients-registrations/default",
        "/health",
        "/metrics",
        "/",
    ):
        assert_refused(anyone.request(host, path), "unknown-path")


def test_the_enrolment_host_signs_with_proof_and_does_nothing_else(register, secrets, anyone):
    host = register.environment.pki_host
    assert json.loads(anyone.request(host, "/health").body) == {"status": "ok"}
    assert secrets.root_ca.certificate.strip() in anyone.request(host, "/roots.pem").body
    assert anyone.request(host, "/1.0/sign", "POST", body="{}").status == 400
    for method, path in (
        ("GET", "/1.0/sign"),
        ("POST", "/1.0/ssh/sign"),
        ("GET", "/admin/provisioners"),
        ("POST", "/health"),
    ):
        assert_refused(anyone.request(host, path, method), "unknown-path")


def test_plain_http_only_leads_to_https(register, host):
    connection = http.client.HTTPConnection("127.0.0.1", register.environment.ports.http, timeout=10)
    connection.request("GET", "/irat/?q=1", headers={"Host": host})
    answer = connection.getresponse()
    assert answer.status == 301
    assert answer.headers["Location"] == f"{register.municipality(KSH).origin}/irat/?q=1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_tls_is_refused(register, secrets, host):
    context = ssl.create_default_context(cadata=secrets.root_ca.certificate)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", register.environment.ports.https), 10) as raw,
        pytest.raises(ssl.SSLError, match="(?i)alert protocol version"),
    ):
        context.wrap_socket(raw, server_hostname=host)


def test_sessions_are_not_resumed_so_that_revocation_always_bites(register, secrets, host):
    context = ssl.create_default_context(cadata=secrets.root_ca.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    address = ("127.0.0.1", register.environment.ports.https)
    with socket.create_connection(address, 10) as raw, context.wrap_socket(raw, server_hostname=host) as first:
        session = first.session
    with (
        socket.create_connection(address, 10) as raw,
        context.wrap_socket(raw, server_hostname=host, session=session) as second,
    ):
        assert not second.session_reused


def test_the_list_of_revocations_is_current(register, runtime):
    crl = json.loads(runtime.check(register.names.edge, ["asp-edge", "status"], "{}"))["crl"]
    assert crl["until"] > time.time() + 3600


def test_the_edges_answer_names_the_tenants_own_certificate(register, anyone, host):
    certificate = anyone.request(host, "/portal/").certificate
    assert ("DNS", host) in certificate["subjectAltName"]
    assert certificate["subjectAltName"] == (("DNS", host),)


def test_keycloak_has_no_unencrypted_port(register, runtime: Runtime, secrets):
    listening = runtime.check(register.names.identity, ["cat", "/proc/net/tcp", "/proc/net/tcp6"])
    ports = {int(line.split()[1].split(":")[1], 16) for line in listening.splitlines() if " 0A " in line}
    assert 8080 not in ports
    with HttpsSession(
        runtime, register.names.identity, Port.IDENTITY_MANAGEMENT, secrets.root_ca.certificate
    ) as session:
        assert session.request("GET", "/health/ready").json()["status"] == "UP"


def test_status_says_what_is_open(register, runtime, host):
    entry = EdgePlanner(register, runtime).status([register.municipality(KSH)])[host]
    assert (entry["ksh"], entry["cell"], entry["certificate"]["hosts"]) == (
        KSH,
        register.municipality(KSH).cell,
        [host],
    )
