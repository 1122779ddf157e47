"""Certificates that must not open a staff system, and genuine ones that must not open another's."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from centre.edge import revocation
from centre.edge.enrolment import enrol
from inventory.vault.certificates import Pair, intermediate, root
from tests.attack import people
from tests.attack.browser import Browser
from tests.attack.people import SERVER, Wish, issue
from tests.attack.registry import Tries, attack, control
from tests.attack.target import CLERK, Target

REFUSALS = (
    "ASP-EDGE-NO-CERTIFICATE",
    "ASP-EDGE-CERTIFICATE-INVALID",
    "ASP-EDGE-CERTIFICATE-REVOKED",
    "ASP-EDGE-TENANT-MISMATCH",
    "ASP-EDGE-REVOCATION-UNKNOWN",
)
Subject = list[tuple[str, str]]


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    """The same session with the genuine certificate works."""
    page = target.clerk(target.own, "keret").ask(target.own.host, "/keret/")
    control(page.status == 200, page)


def closed(target: Target, tries: Tries, file, name: str = "") -> None:
    """The certificate opens no staff system, and no staff page of a public one, though a session is at hand."""
    for system in (*target.staff_systems[:3], *target.public_systems):
        browser = Browser(target.port, file)
        browser.cookies[target.own.host] = {f"asp_{system}": target.sessions(target.own, system, {"": ("x",)})[""]}
        answer = browser.ask(target.own.host, f"/{system}/")
        if system in target.public_systems:
            tries.holds("Próba Támadó" not in answer.text, f"{name} {system}: {answer}")
        else:
            tries.holds(answer.refusal in REFUSALS or answer.status == 0, f"{name} {system}: {answer}")


WISHES: dict[str, Callable[[Target, Subject], tuple[Wish, Pair | None]]] = {
    "self-signed": lambda t, s: (Wish(s), None),
    "strangers-authority": lambda t, s: (Wish(s), _stranger(t)),
    "expired": lambda t, s: (Wish(s, days=(-3, -1)), t.issuer),
    "not-yet-valid": lambda t, s: (Wish(s, days=(1, 3)), t.issuer),
    "for-servers": lambda t, s: (Wish(s, usages=(SERVER,)), t.issuer),
    "second-unit": lambda t, s: (Wish([*s, ("OU", t.other.tenant)]), t.issuer),
    "second-unit-first": lambda t, s: (Wish([("OU", t.other.tenant), *s]), t.issuer),
    "same-unit-twice": lambda t, s: (Wish([*s, ("OU", t.own.tenant)]), t.issuer),
    "no-unit": lambda t, s: (Wish([part for part in s if part[0] != "OU"]), t.issuer),
    "empty-unit-like": lambda t, s: (Wish(_unit(s, "t")), t.issuer),
    "upper-case-unit": lambda t, s: (Wish(_unit(s, t.own.tenant.upper())), t.issuer),
    "space-behind": lambda t, s: (Wish(_unit(s, t.own.tenant + " ")), t.issuer),
    "longer-unit": lambda t, s: (Wish(_unit(s, t.own.tenant + "0")), t.issuer),
    "unit-with-nul": lambda t, s: (Wish(_unit(s, t.own.tenant + "\x00x")), t.issuer),
    "unit-in-the-name": lambda t, s: (Wish([("CN", f"{CLERK}/OU={t.own.tenant}"), ("O", t.own.name)]), t.issuer),
    "other-municipality": lambda t, s: (Wish(t.subject(t.other)), t.issuer),
    "by-a-clerk": lambda t, s: (Wish(s), issue(Wish(s), t.issuer)),
    "by-a-clerk-as-authority": lambda t, s: (Wish(s), issue(Wish(s, authority=True), t.issuer)),
    "by-root": lambda t, s: (Wish(s), t.secrets.root_ca),
}


def _unit(subject: Subject, value: str) -> Subject:
    return [(part, value if part == "OU" else text) for part, text in subject]


def _stranger(target: Target) -> Pair:
    """An authority with the same names and other keys."""
    env = target.register.environment.id
    return intermediate(env, "issuing", root(env))


@attack("C01", "certificates", "a certificate that is not what it should be", WISHES, short=True)
def test_wrong_certificate(target: Target, tries: Tries, way) -> None:
    wish, issuer = way(target, target.subject(target.own))
    file = people.file(issue(wish, issuer), target.folder, target.token())
    closed(target, tries, file)


@attack("C02", "certificates", "no certificate at all, with the session of a clerk", short=True)
def test_none(target: Target, tries: Tries) -> None:
    closed(target, tries, None)


@attack(
    "C03",
    "certificates",
    "an internal service's own certificate as a clerk's",
    {
        "edge": lambda t: t.register.names.edge,
        "identity": lambda t: t.register.names.identity,
        "app-server": lambda t: t.service("keret"),
        "database": lambda t: t.cell.postgres[0],
        "step-ca": lambda t: t.register.names.pki,
    },
)
def test_internal(target: Target, tries: Tries, way) -> None:
    closed(target, tries, people.file(target.secrets.tls(way(target)), target.folder, target.token()))


@attack(
    "C04",
    "certificates",
    "the authority's own certificate as a clerk's",
    {
        "issuing": lambda t: t.secrets.pki_ca,
        "root": lambda t: t.secrets.root_ca,
    },
)
def test_authority(target: Target, tries: Tries, way) -> None:
    closed(target, tries, people.file(way(target), target.folder, target.token()))


@attack("C05", "certificates", "a revoked certificate, after the promised time", short=True)
def test_revoked(target: Target, tries: Tries) -> None:
    username = target.real_clerk(target.own)
    genuine = enrol(target.register, target.secrets, username, target.own.ksh, hours=1)
    key = genuine.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    chain = "".join(item.public_bytes(serialization.Encoding.PEM).decode() for item in (genuine.own, *genuine.between))
    file = people.file(Pair(key, chain, chain), target.folder, target.token())
    browser = Browser(target.port, file)
    control(browser.ask(target.own.host, "/keret/").refusal == "", "before the revocation")
    revocation.revoke(target.register, genuine.serial, target.secrets)
    seconds = target.register.environment.pki.crl_refresh_seconds + 10
    deadline = time.monotonic() + seconds
    while (answer := browser.ask(target.own.host, "/keret/")).status != 403 and time.monotonic() < deadline:
        time.sleep(0.5)
    tries.holds(answer.refusal == "ASP-EDGE-CERTIFICATE-REVOKED", f"after {seconds} s: {answer}")
    again = browser.ask(target.own.host, f"/{target.public_systems[0]}/")
    tries.holds("Próba Támadó" not in again.text, again)


@attack("C06", "certificates", "another clerk's session with one's own certificate", short=True)
def test_session_of_a_colleague(target: Target, tries: Tries) -> None:
    for system in target.systems:
        browser = target.holder(target.own, "proba.masik")
        browser.cookies[target.own.host] = {f"asp_{system}": target.sessions(target.own, system, {"": ("x",)})[""]}
        answer = browser.ask(target.own.host, f"/{system}/")
        tries.holds(answer.status in (302, 403) or "Próba Támadó" not in answer.text, f"{system}: {answer}")


@attack(
    "C07",
    "certificates",
    "a name in the certificate that a page or a query could take for its own",
    {
        "script": "<script>alert(1)</script>",
        "quote": "x' OR '1'='1",
        "line-end": "x\r\nAsp-Tenant: 1",
        "format": "%s{0}",
        "dots": "../../keret",
        "long": "x" * 64,
    },
    alike=True,
)
def test_name(target: Target, tries: Tries, way: str) -> None:
    browser = target.holder(target.own)
    pair = issue(Wish([("CN", way), *target.subject(target.own)[1:]]), target.issuer)
    browser.certificate = people.file(pair, target.folder, target.token())
    for system in target.systems:
        answer = browser.ask(target.own.host, f"/{system}/")
        tries.holds(answer.status in (200, 302, 400, 403), f"{system}: {answer}")
        tries.holds(len(way) == 64 or way not in answer.text, f"{system} shows {way!r} as it is")


@attack("C08", "certificates", "the certificate of an office's other municipality")
def test_neighbour_of_the_same_office(target: Target, tries: Tries) -> None:
    members = target.register.members(target.register.office_of(target.own))
    neighbours = [one for one in members if one.ksh != target.own.ksh and one.joined]
    control(neighbours, "the office serves one municipality only")
    for neighbour in neighbours:
        closed(target, tries, target.certificate(neighbour), neighbour.name)


@attack("C09", "certificates", "a chain without the authority that signed it")
def test_incomplete_chain(target: Target, tries: Tries) -> None:
    pair = issue(Wish(target.subject(target.own)), _stranger(target))
    genuine = x509.load_pem_x509_certificate(target.issuer.certificate.encode())
    control(genuine.subject, "the issuing authority has a name")
    both = Pair(pair.key, pair.certificate, pair.certificate + target.issuer.certificate)
    closed(target, tries, people.file(both, target.folder, target.token()))
