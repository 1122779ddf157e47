"""What is recorded of the identity provider, of certificates and of a write: as it is, also where names are alike."""

from __future__ import annotations

import contextlib
import datetime as dt
from types import SimpleNamespace

import pytest
from cryptography import x509

from centre.reach.runtime import RuntimeFault, Unreachable
from checks.probes import certificates, keycloak, postgres
from inventory.register import load
from inventory.vault import certificates as made_here
from stacks.configs import realm
from tests.unit.centre.identity.shelf import Shelf

KSH = "16054"


@pytest.fixture(scope="module")
def register():
    return load("test")


class Keycloak(Shelf):
    """Of both realms, entered as the real one is."""

    def __init__(self, *arguments):
        super().__init__(realm.render(load("test")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def beside(self, name):
        return self


@pytest.fixture
def provider(monkeypatch, register):
    provider = Keycloak()

    @contextlib.contextmanager
    def session(*_):
        yield SimpleNamespace(request=lambda *_, **__: SimpleNamespace(json=lambda: {"status": "UP"}))

    monkeypatch.setattr(keycloak, "HttpsSession", session)
    monkeypatch.setattr(keycloak, "Keycloak", lambda runtime, secrets: provider)
    return provider


def tenant(register):
    return keycloak.tenant(None, None, register.municipality(KSH))


def test_a_tenant_is_recorded_with_its_organization_members_and_clients(provider, register):
    municipality = register.municipality(KSH)
    assert tenant(register) == {"organization": None, "clients": {}, "members": {}}
    body = {"name": municipality.name, "alias": "t99999", "enabled": True}
    other = provider.create("organizations", body=body)
    assert tenant(register)["organization"] is None, "another one of the same name"
    provider.remove("organizations", other)
    own = provider.create("organizations", body=body | {"alias": "t16054", "enabled": False})
    for name, enabled in (("minta.iktato", True), ("minta.admin", False)):
        user = provider.create("users", body={"username": name, "enabled": enabled})
        provider.create("organizations", own, "members", body=user)
    provider.create("clients", body={"clientId": "t16054-irat", "enabled": False, "redirectUris": ["b", "a"]})
    assert tenant(register) == {
        "organization": {"enabled": False, "name": municipality.name},
        "clients": {"t16054-irat": {"enabled": False, "redirects": ["a", "b"]}},
        "members": {"minta.iktato": True, "minta.admin": False},
    }


def test_how_people_sign_in_is_compared_with_what_is_described(provider, register):
    secrets = SimpleNamespace(root_ca=SimpleNamespace(certificate=""))
    sound = keycloak.server(None, register, secrets)
    assert sound["ways_in"]["asp"] == {"flows": [], "clients": []} and sound["realm"]["different"] == []
    provider.flows["asp sign-in A clerk"]["steps"][0]["requirement"] = "ALTERNATIVE"
    provider.realm["failureFactor"] = 500
    provider.create("clients", body={"clientId": "admin-cli", "enabled": True})
    faulty = keycloak.server(None, register, secrets)
    assert faulty["ways_in"]["asp"] == {"flows": ["browserFlow"], "clients": ["admin-cli"]}
    assert faulty["realm"]["different"] == ["failureFactor"]


def test_serial_numbers_are_written_alike_in_certificates_and_lists():
    authority = made_here.root("unit")
    certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
    serial = certificates.described(certificate)["serial"]
    assert int(serial, 16) == certificate.serial_number and serial == serial.upper().lstrip("0")
    assert certificates.hexadecimal(0x0A01) == "A01"
    until = dt.datetime.fromisoformat(certificates.described(certificate)["until"])
    assert until == certificate.not_valid_after_utc and until.tzinfo


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"in_recovery": false, "writable": true}', {"in_recovery": False, "writable": True, "write_refusal": ""}),
        (
            '{"in_recovery": true, "writable": false}',
            {"in_recovery": True, "writable": False, "write_refusal": "read only"},
        ),
        (RuntimeFault("disk full"), {"in_recovery": False, "writable": False, "write_refusal": "disk full"}),
    ],
)
def test_a_write_that_is_refused_is_recorded_with_the_reason(answer, expected):
    def check(*_, **__):
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert postgres.writable(SimpleNamespace(check=check), "n1") == expected


def test_a_server_that_does_not_answer_is_not_one_that_refuses():
    def check(*_, **__):
        raise Unreachable("n1 is not there")

    with pytest.raises(Unreachable):
        postgres.writable(SimpleNamespace(check=check), "n1")
