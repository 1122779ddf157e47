"""The vault: made once, completed later, never shown, and refused with one clear message when it cannot be opened."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from inventory import certificates, paths, secrets
from inventory.certificates import Pair
from inventory.register import RegisterError, load


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """A register whose local files go to a folder of this test."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    return load("test")


def test_second_ensure_makes_nothing_and_load_reads_the_same(vault):
    first, made = secrets.ensure(vault)
    second, again = secrets.ensure(vault)
    assert {"passwords.pulumi_passphrase", "certificate authorities", "ssh/known_hosts"} <= set(made)
    assert again == []
    values = {reader.password("identity_admin") for reader in (first, second, secrets.load(vault))}
    assert len(values) == 1 and len(values.pop()) >= 43


def test_vault_is_encrypted_private_and_not_shown(vault, tmp_path):
    made, _ = secrets.ensure(vault)
    file = tmp_path / "test" / "vault.yml"
    assert file.read_text().startswith("$ANSIBLE_VAULT;")
    assert file.stat().st_mode & 0o077 == 0
    assert repr(made) == "Secrets(test)"


def test_missing_vault_says_what_to_do(vault):
    with pytest.raises(RegisterError, match=r"was not made yet\. Run make up first"):
        secrets.load(vault)


def test_wrong_password_is_refused_and_the_vault_stays(vault, tmp_path):
    secrets.ensure(vault)
    before = (tmp_path / "test" / "vault.yml").read_bytes()
    (tmp_path / "test" / "vault-password").write_text("another")
    with pytest.raises(RegisterError, match="cannot be opened"):
        secrets.ensure(vault)
    assert (tmp_path / "test" / "vault.yml").read_bytes() == before


@pytest.mark.parametrize("damage", [
    lambda text: text[:-2] + ("0" if text[-2] != "0" else "1") + "\n",
    lambda text: text.replace("$ANSIBLE_VAULT", "ANSIBLE_VAULT"),
    lambda text: text.splitlines()[0] + "\nno hexadecimal\n",
], ids=["changed", "no vault", "no body"])  # fmt: skip
def test_a_damaged_vault_is_refused_and_stays(vault, tmp_path, damage):
    secrets.ensure(vault)
    file = tmp_path / "test" / "vault.yml"
    file.write_text(damage(file.read_text()))
    before = file.read_bytes()
    with pytest.raises(RegisterError, match="cannot be opened"):
        secrets.ensure(vault)
    assert file.read_bytes() == before


def test_a_lost_password_is_not_made_anew_while_there_is_a_vault(vault, tmp_path):
    secrets.ensure(vault)
    (tmp_path / "test" / "vault-password").unlink()
    with pytest.raises(RegisterError, match="cannot be opened"):
        secrets.ensure(vault)
    assert not (tmp_path / "test" / "vault-password").exists()


def test_derived_passwords_differ_by_tenant_system_and_key(vault):
    made, _ = secrets.ensure(vault)
    first, second = vault.municipality("16054"), vault.municipality("14915")
    passwords = {made.role_password(m, s) for m in (first, second) for s in ("keret", "irat")}
    assert len(passwords) == 4
    assert made.role_password(first, "irat") == made.role_password(first, "irat")


def test_a_leaf_near_its_end_is_made_again_and_nothing_else(vault, monkeypatch):
    before, _ = secrets.ensure(vault)
    edge = vault.names.edge
    stale = before.tls(edge)
    monkeypatch.setattr(certificates, "RENEW_BEFORE_DAYS", certificates.LEAF_DAYS + 1)
    after, made = secrets.ensure(vault)
    assert set(made) == {f"tls.{service}" for service in secrets.tls_hosts(vault)}
    assert after.tls(edge).certificate != stale.certificate
    assert after.root_ca == before.root_ca


def test_leaf_names_its_service_and_extra_hosts(vault):
    made, _ = secrets.ensure(vault)
    hosts = made.tls(vault.names.edge).hosts()
    assert hosts == {vault.names.edge, "id.asp.test", "ca.asp.test", "localhost"}


def test_chain_leads_to_the_root_without_it(vault):
    made, _ = secrets.ensure(vault)
    leaf, intermediate = x509.load_pem_x509_certificates(made.tls(vault.names.pki).chain.encode())
    root = x509.load_pem_x509_certificate(made.root_ca.certificate.encode())
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)


def test_every_key_opens_its_certificate():
    root = certificates.root("test")
    for pair in (root, certificates.intermediate("test", "issuing", root), certificates.leaf("a", [], root)):
        assert isinstance(pair, Pair)
        key = serialization.load_pem_private_key(pair.key.encode(), None)
        assert key.public_key() == x509.load_pem_x509_certificate(pair.certificate.encode()).public_key()
