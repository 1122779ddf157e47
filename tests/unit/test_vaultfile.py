"""A vault written by Ansible opens without it; a wrong password and a changed file are told apart from that."""

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from inventory.vaultfile import VaultFault, decrypt

PLAIN = "jelszó: árvíztűrő tükörfúrógép\n".encode()


def encrypted(password: bytes, vault_id: str | None = None) -> bytes:
    return VaultLib([("default", VaultSecret(password))]).encrypt(PLAIN, vault_id=vault_id)


@pytest.mark.parametrize("vault_id", [None, "dev"])
def test_opens_what_ansible_wrote(vault_id):
    assert decrypt(encrypted(b"secret", vault_id), b"secret") == PLAIN


def test_a_wrong_password_is_refused():
    with pytest.raises(VaultFault, match="the password does not open it"):
        decrypt(encrypted(b"secret"), b"other")


def test_a_changed_body_is_refused():
    content = encrypted(b"secret").rstrip()
    last = b"0" if content[-1:] != b"0" else b"1"
    with pytest.raises(VaultFault, match="changed by hand|not three hexadecimal"):
        decrypt(content[:-1] + last, b"secret")


def test_another_file_is_refused():
    with pytest.raises(VaultFault, match=r"wanted a line \$ANSIBLE_VAULT"):
        decrypt(b"passwords: {}\n", b"secret")
