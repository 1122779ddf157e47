"""The vault: made once, completed later, never shown, and refused with one clear message when it cannot be opened."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from inventory import paths
from inventory.errors import RegisterError
from inventory.register import load
from inventory.vault import certificates, vault
from inventory.vault.certificates import Pair


@pytest.fixture
def register(tmp_path, monkeypatch):
    """A register whose local files go to a folder of this test."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    return load("test")


def test_second_ensure_makes_nothing_and_load_reads_the_same(register):
    first, created = vault.ensure(register)
    second, again = vault.ensure(register)
    assert {"passwords.pulumi_passphrase", "certificate authorities", "ssh/known_hosts"} <= set(created)
    assert again == []
    values = {reader.password("identity_admin") for reader in (first, second, vault.load(register))}
    assert len(values) == 1 and len(values.pop()) >= 43


def test_vault_is_encrypted_private_and_not_shown(register, tmp_path):
    secrets, _ = vault.ensure(register)
    file = tmp_path / "test" / "vault.yml"
    assert file.read_text().startswith("$ANSIBLE_VAULT;")
    assert file.stat().st_mode & 0o077 == 0
    assert repr(secrets) == "Secrets(test)"


def test_missing_vault_says_what_to_do(register):
    with pytest.raises(RegisterError, match=r"was not made yet\. Run make up first"):
        vault.load(register)


def test_wrong_password_is_refused_and_the_vault_stays(register, tmp_path):
    vault.ensure(register)
    before = (tmp_path / "test" / "vault.yml").read_bytes()
    (tmp_path / "test" / "vault-password").write_text("another")
    with pytest.raises(RegisterError, match="cannot be opened"):
        vault.ensure(register)
    assert (tmp_path / "test" / "vault.yml").read_bytes() == before


@pytest.mark.parametrize("damage", [
    lambda text: text[:-2] + ("0" if text[-2] != "0" else "1") + "\n",
    lambda text: text.replace("$ANSIBLE_VAULT", "ANSIBLE_VAULT"),
    lambda text: text.splitlines()[0] + "\nno hexadecimal\n",
], ids=["changed", "no vault", "no body"])  # fmt: skip
def test_a_damaged_vault_is_refused_and_stays(register, tmp_path, damage):
    vault.ensure(register)
    file = tmp_path / "test" / "vault.yml"
    file.write_text(damage(file.read_text()))
    before = file.read_bytes()
    with pytest.raises(RegisterError, match="cannot be opened"):
        vault.ensure(register)
    assert file.read_bytes() == before


def test_a_lost_password_is_not_made_anew_while_there_is_a_vault(register, tmp_path):
    vault.ensure(register)
    (tmp_path / "test" / "vault-password").unlink()
    with pytest.raises(RegisterError, match="cannot be opened"):
        vault.ensure(register)
    assert not (tmp_path / "test" / "vault-password").exists()


def test_derived_passwords_differ_by_tenant_system_and_key(register):
    secrets, _ = vault.ensure(register)
    first, second = register.municipality("16054"), register.municipality("14915")
    passwords = {secrets.role_password(m, s) for m in (first, second) for s in ("keret", "irat")}
    assert len(passwords) == 4
    assert secrets.role_password(first, "irat") == secrets.role_password(first, "irat")


def test_a_leaf_near_its_end_is_made_again_and_nothing_else(register, monkeypatch):
    before, _ = vault.ensure(register)
    edge = register.names.edge
    stale = before.tls(edge)
    monkeypatch.setattr(certificates, "RENEW_BEFORE_DAYS", certificates.LEAF_DAYS + 1)
    after, created = vault.ensure(register)
    assert set(created) == {f"tls.{service}" for service in vault.tls_hosts(register)}
    assert after.tls(edge).certificate != stale.certificate
    assert after.root_ca == before.root_ca


def test_leaf_names_its_service_and_extra_hosts(register):
    secrets, _ = vault.ensure(register)
    hosts = secrets.tls(register.names.edge).hosts()
    assert hosts == {register.names.edge, "id.asp.test", "ca.asp.test", "localhost"}


def test_chain_leads_to_the_root_without_it(register):
    secrets, _ = vault.ensure(register)
    leaf, intermediate = x509.load_pem_x509_certificates(secrets.tls(register.names.pki).chain.encode())
    root = x509.load_pem_x509_certificate(secrets.root_ca.certificate.encode())
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)


def test_every_key_opens_its_certificate():
    root = certificates.root("test")
    for pair in (root, certificates.intermediate("test", "issuing", root), certificates.leaf("a", [], root)):
        assert isinstance(pair, Pair)
        key = serialization.load_pem_private_key(pair.key.encode(), None)
        assert key.public_key() == x509.load_pem_x509_certificate(pair.certificate.encode()).public_key()
