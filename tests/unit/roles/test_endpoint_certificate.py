"""What the certificate role decides from what it sees, without a workstation."""

import pytest

from inventory.vault import certificates
from tests.support.modules import endpoint_module

certificate = endpoint_module("certificate")


@pytest.fixture(scope="module")
def authority():
    return certificates.root("unit")


def test_fingerprints_are_those_of_the_certificates_in_order(authority):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    leaf = certificates.leaf("host", [], authority)
    expected = [
        x509.load_pem_x509_certificate(pair.certificate.encode()).fingerprint(hashes.SHA256()).hex()
        for pair in (leaf, authority)
    ]
    assert certificate.fingerprints(leaf.certificate + "noise\n" + authority.certificate) == expected
    assert certificate.fingerprints(None) == certificate.fingerprints("") == []


def test_a_refused_token_is_told_with_the_authoritys_words_and_the_remedy(authority, monkeypatch):
    ca = certificate.Authority({"authority": "ca.unit.test:8443", "root": authority.certificate})
    assert (ca.host, ca.port) == ("ca.unit.test", 8443)
    monkeypatch.setattr(ca, "ask", lambda *_: (401, b'{"message": "token already used"}'))
    with pytest.raises(certificate.EndpointFault, match=r"t16054: .* refused by ca\.unit\.test \(401: token already"):
        ca.sign("t16054", "request", "token")


def test_an_answer_that_is_no_json_is_told_too(authority, monkeypatch):
    ca = certificate.Authority({"authority": "ca.unit.test", "root": authority.certificate})
    assert ca.port == 443
    monkeypatch.setattr(ca, "ask", lambda *_: (503, b"<html>unavailable</html>"))
    with pytest.raises(certificate.EndpointFault, match="503: <html>unavailable"):
        ca.sign("t16054", "request", "token")


def test_an_account_that_is_not_there_is_refused():
    with pytest.raises(certificate.EndpointFault, match="account nobody-here: not on this machine"):
        certificate.Account("nobody-here")
